"""What one look at every listed image told: kept beside the pack, so that nobody looks twice."""

from collections.abc import Iterable, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from understudy.core.files import write_bytes
from understudy.data.check.finding import Finding
from understudy.data.check.look import Look
from understudy.data.fingerprint import Fingerprints
from understudy.data.label_sets import sets_of
from understudy.data.sources.listing import Entry, Listing

Indices = NDArray[np.int64]
LOOKS, PAIRS = "looks.parquet", "near.npy"


class Inspection(NamedTuple):
    """Every listed image, and what is known of it."""

    listing: Listing
    looks: tuple[Look, ...]
    """One for each entry of the listing."""
    readable: Indices
    """Positions in the listing of the images that could be read; those below count these."""
    shapes: Indices
    """[R, 2]: width and height as a network would get them."""
    fingerprints: Fingerprints
    """[R, 2]: equal exactly for images of equal pixels."""
    near: NDArray[np.int32]
    """[P, 3]: two readable images that look alike and are not equal, and the bits that differ."""
    meaning: Mapping[str, tuple[str, ...]] = {}
    """As in `Pack`, and so is the next."""
    kept_out: Indices = np.empty(0, dtype=np.int64)
    notes: tuple[Finding, ...] = ()
    """What is to be known of the scheme that was laid over it, and stops nobody."""

    @property
    def entries(self) -> list[Entry]:
        """The readable images."""
        return [self.listing.entries[position] for position in self.readable]

    @property
    def names(self) -> tuple[str, ...]:
        """Of the readable images."""
        return tuple(entry.name for entry in self.entries)

    @property
    def labels(self) -> Indices:
        """Of the readable images; -1 where there is none."""
        return np.array([entry.label for entry in self.entries], dtype=np.int64)

    @property
    def label_sets(self) -> Sequence[tuple[str, ...] | None]:
        """The labels of the readable images as the source gives them."""
        listing = self.listing
        tagged = tuple(entry.tags for entry in self.entries) if listing.tags else ()
        return sets_of(self.labels, listing.classes, tagged, listing.tags)

    @property
    def given(self) -> tuple[str, ...]:
        """The splits of the readable images, as the source gives them."""
        return tuple(entry.split for entry in self.entries)

    @property
    def groups(self) -> tuple[str, ...]:
        """What the readable images belong to, "" for nothing; empty where none belongs to any."""
        return groups_or_none(entry.group for entry in self.entries)

    @property
    def classes(self) -> tuple[str, ...]:
        """Names, by label."""
        return self.listing.classes


def groups_or_none(groups: Iterable[str]) -> tuple[str, ...]:
    """The group of each image; empty where no image has one."""
    column = tuple(groups)
    return column if any(column) else ()


def write_inspection(inspection: Inspection, folder: Path) -> None:
    """Writes what `read_inspection` needs beside the pack's own files.

    Raises:
        StorageError: The disk refuses.
    """
    columns = {
        name: pa.array([getattr(look, name) for look in inspection.looks]) for name in Look._fields
    }
    stream = pa.BufferOutputStream()
    pq.write_table(pa.table(columns), stream)
    write_bytes(folder / LOOKS, stream.getvalue().to_pybytes())
    array = BytesIO()
    np.save(array, inspection.near, allow_pickle=False)
    write_bytes(folder / PAIRS, array.getvalue())


def read_inspection(
    folder: Path, listing: Listing, *, fingerprints: Fingerprints, shape: tuple[int, int]
) -> Inspection:
    """What `write_inspection` wrote of the images of this listing.

    Args:
        folder: The pack's.
        listing: Of the same names, splits, labels and groups: the pack's key holds them.
        fingerprints: Of the pack.
        shape: Width and height of its images.

    Raises:
        OSError: A file is absent.
        ValueError: A file is damaged.
    """
    try:
        table = pq.read_table(folder / LOOKS)
        if set(table.column_names) != set(Look._fields):
            raise ValueError(f"{folder / LOOKS}: of a look that told other things")
        rows = table.to_pylist()
        looks = tuple(Look(**row) for row in rows)
    except (pa.ArrowException, TypeError) as error:
        raise ValueError(f"{folder / LOOKS}: damaged") from error
    near = np.load(folder / PAIRS, allow_pickle=False)
    readable = np.flatnonzero([not look.reason for look in looks])
    if len(looks) != len(listing.entries) or len(readable) != len(fingerprints):
        raise ValueError(f"{folder / LOOKS}: of other images")
    shapes = np.broadcast_to(np.array(shape, dtype=np.int64), (len(readable), 2))
    return Inspection(listing, looks, readable, shapes, fingerprints, near)
