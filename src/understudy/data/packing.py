"""Decoding a whole source once, into files that every run can map into memory."""

import json
import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from understudy.core.depth import Pixels
from understudy.core.errors import DataError
from understudy.core.files import storage_errors, write_bytes, write_text
from understudy.core.progress import Progress
from understudy.data.blocks import in_blocks
from understudy.data.check.files import skipped, unusable
from understudy.data.check.inspection import Inspection, write_inspection
from understudy.data.check.look import Look
from understudy.data.check.near import LEAST_SIDE, Pairs, Sketch, is_flat, near_pairs, sketch
from understudy.data.content import content_digest
from understudy.data.decode import UnreadableImageError
from understudy.data.fingerprint import Fingerprints, fingerprint, fingerprints_of, groups_of
from understudy.data.rows import RowWriter
from understudy.data.sources.listing import Listing


class _Good(NamedTuple):
    pixels: Pixels
    fingerprint: bytes
    sketch: Sketch
    look: Look


def write_pack(
    listing: Listing, digests: Sequence[bytes], *, folder: Path, progress: Progress
) -> Inspection:
    """Decodes every image, once, into `folder`, which exists and is empty.

    Args:
        listing: The source's content.
        digests: What each entry's content was when the pack's key was computed.
        folder: Gets images.npy, fingerprints.npy, the inspection's files and, last, pack.json;
            where the images cannot make a pack, nothing that could be taken for one.
        progress: Where to show how far it is.

    Returns:
        What was seen; `unusable` tells from it whether the images can serve.

    Raises:
        DataError: A file changed in the meantime.
        StorageError: The disk refuses or is too small.
    """
    with (
        storage_errors(folder),
        RowWriter(folder / "images.npy", most=len(listing.entries)) as images,
    ):
        inspection = inspect(listing, digests, keep=images.append, progress=progress)
        if unusable(inspection):
            return inspection
        images.finish()

    array = BytesIO()
    np.save(array, inspection.fingerprints, allow_pickle=False)
    write_bytes(folder / "fingerprints.npy", array.getvalue())
    write_inspection(inspection, folder)
    columns = {
        "classes": listing.classes,
        "names": inspection.names,
        "labels": inspection.labels.tolist(),
        "given": inspection.given,
        "groups": inspection.groups,
        "skipped": skipped(inspection),
        "bands": listing.bands,
        "tags": listing.tags,
        "tagged": [entry.tags for entry in inspection.entries] if listing.tags else [],
    }
    write_text(folder / "pack.json", json.dumps(columns))
    return inspection


def inspect(
    listing: Listing,
    digests: Sequence[bytes] | None,
    *,
    keep: Callable[[Pixels], None] | None,
    progress: Progress,
) -> Inspection:
    """Decodes every image, once.

    Args:
        listing: The source's content.
        digests: What each entry's content must be; None where nobody looked before.
        keep: Gets the pixels of each readable image in turn, while all have one size and depth.
        progress: Where to show how far it is.

    Raises:
        DataError: A file changed since the digests were computed.
    """

    def work(index: int) -> _Good | Look:
        return _decoded(listing, index, expected=digests[index] if digests else None)

    count, title = len(listing.entries), f"packing {listing.origin}"
    looks: list[Look] = []
    fingerprints: list[bytes] = []
    sketches: list[Sketch] = []
    shapes: list[tuple[int, int]] = []
    kinds: set[tuple[tuple[int, ...], str]] = set()
    with (
        strict_and_quiet(),
        closing(in_blocks(work, count, title=title, progress=progress)) as blocks,
    ):
        for block in blocks:
            looks += [seen.look if isinstance(seen, _Good) else seen for seen in block]
            good = [seen for seen in block if isinstance(seen, _Good)]
            shapes += [(seen.pixels.shape[2], seen.pixels.shape[1]) for seen in good]
            fingerprints += [seen.fingerprint for seen in good]
            sketches += [seen.sketch for seen in good]
            kinds |= {(seen.pixels.shape, seen.pixels.dtype.name) for seen in good}
            if keep and len(kinds) == 1:
                for seen in good:
                    keep(seen.pixels)
    found = fingerprints_of(fingerprints)
    return Inspection(
        listing=listing,
        looks=tuple(looks),
        readable=np.flatnonzero([not look.reason for look in looks]).astype(np.int64),
        shapes=np.array(shapes, dtype=np.int64).reshape(-1, 2),
        fingerprints=found,
        near=_near(sketches, found, shapes, progress),
    )


def _near(
    sketches: list[Sketch],
    fingerprints: Fingerprints,
    shapes: list[tuple[int, int]],
    progress: Progress,
) -> Pairs:
    """The pairs that look alike; none where an image is too small to tell."""
    if min((min(shape) for shape in shapes), default=0) < LEAST_SIDE:
        return np.empty((0, 3), np.int32)
    return near_pairs(np.stack(sketches), groups_of(fingerprints), progress=progress)


def _decoded(listing: Listing, index: int, *, expected: bytes | None) -> _Good | Look:
    entry = listing.entries[index]
    try:
        content = listing.read(index)
    except OSError as error:
        return Look(reason="unreadable", detail=str(error.strerror))
    if expected is not None and content_digest(content) != expected:
        raise DataError(
            f"{listing.origin}: {entry.name} changed while it was being read. "
            "Run the command again when nothing writes there."
        )
    if listing.decoding is None or isinstance(content, np.ndarray):
        pixels = np.asarray(content)
        channels, height, width = pixels.shape
        mode = {1: "L", 3: "RGB"}.get(channels, f"{channels} bands")
        return _good(pixels, Look(mode=mode, width=width, height=height))
    try:
        return _good(*listing.decoding.decoded(content, name=entry.name))
    except UnreadableImageError as error:
        return error.look


def _good(pixels: Pixels, look: Look) -> _Good:
    lowest, highest = pixels.min(axis=(1, 2)), pixels.max(axis=(1, 2))
    constant, drawn = bool((lowest == highest).all()), sketch(pixels)
    flat = not constant and is_flat(drawn)
    seen = look._replace(constant=constant, flat=flat)
    return _Good(pixels, fingerprint(pixels), drawn, seen)


@contextmanager
def strict_and_quiet() -> Iterator[None]:
    """Pillow only warns of an image just too large; it and tifffile report harmless oddities.

    Warning filters belong to the process, so they are set once, around all threads.
    """
    loggers = [logging.getLogger(name) for name in ("PIL", "tifffile")]
    levels = [logger.level for logger in loggers]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\.")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        for logger in loggers:
            logger.setLevel(logging.CRITICAL + 1)
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)
