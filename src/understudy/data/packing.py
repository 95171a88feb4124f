"""Decoding a whole source once, into files that every run can map into memory."""

import json
import logging
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from understudy.core.errors import DataError
from understudy.core.files import storage_errors, write_bytes, write_text
from understudy.core.progress import Progress
from understudy.data.blocks import in_blocks
from understudy.data.content import content_digest
from understudy.data.decode import Pixels, UnreadableImageError, decode
from understudy.data.fingerprint import fingerprint, fingerprints_of
from understudy.data.rows import RowWriter
from understudy.data.sources.listing import Entry, Listing

MOST_SKIPPED = 0.01  # of the unlabeled images; beyond it is a broken copy, not a bad file
MOST_SHOWN = 10


class _Good(NamedTuple):
    entry: Entry
    pixels: Pixels
    fingerprint: bytes


class _Bad(NamedTuple):
    entry: Entry
    reason: str
    sentence: str


def write_pack(
    listing: Listing, digests: Sequence[bytes], *, folder: Path, progress: Progress
) -> None:
    """Decodes every image into `folder`, which exists and is empty.

    Args:
        listing: The source's content.
        digests: What each entry's content was when the pack's key was computed.
        folder: Gets images.npy, fingerprints.npy and, last, pack.json.
        progress: Where to show how far it is.

    Raises:
        DataError: A labelled image cannot be read, too many unlabeled ones cannot, images differ
            in size and none was set, or a file changed in the meantime.
        StorageError: The disk refuses or is too small.
    """

    def decoded(index: int) -> _Good | _Bad:
        return _decoded(listing, index, expected=digests[index])

    count, title = len(listing.entries), f"packing {listing.origin}"
    kept: list[Entry] = []
    fingerprints: list[bytes] = []
    bad: list[_Bad] = []
    sizes: dict[tuple[int, ...], list[Entry]] = {}
    with (
        storage_errors(folder),
        strict_and_quiet(),
        RowWriter(folder / "images.npy", most=count) as images,
        closing(in_blocks(decoded, count, title=title, progress=progress)) as blocks,
    ):
        for block in blocks:
            good = [result for result in block if isinstance(result, _Good)]
            bad += [result for result in block if isinstance(result, _Bad)]
            for result in good:
                sizes.setdefault(result.pixels.shape, []).append(result.entry)
            _must_agree(sizes, origin=listing.origin)
            for result in good:
                images.append(result.pixels)
            kept += [result.entry for result in good]
            fingerprints += [result.fingerprint for result in good]
        _must_be_tolerable(bad, listing)
        images.finish()

    array = BytesIO()
    np.save(array, fingerprints_of(fingerprints), allow_pickle=False)
    write_bytes(folder / "fingerprints.npy", array.getvalue())
    columns = {
        "classes": listing.classes,
        "names": [entry.name for entry in kept],
        "labels": [entry.label for entry in kept],
        "given": [entry.split for entry in kept],
        "groups": [entry.group for entry in kept],
        "skipped": Counter(f"unlabeled image: {found.reason}" for found in bad),
    }
    write_text(folder / "pack.json", json.dumps(columns))


def _decoded(listing: Listing, index: int, *, expected: bytes) -> _Good | _Bad:
    entry = listing.entries[index]
    try:
        content = listing.read(index)
    except OSError as error:
        return _Bad(entry, "unreadable", f"{entry.name}: unreadable ({error.strerror})")
    if content_digest(content) != expected:
        raise DataError(
            f"{listing.origin}: {entry.name} changed while it was being read. "
            "Run the command again when nothing writes there."
        )
    if listing.decoding is None or not isinstance(content, bytes):
        pixels = np.asarray(content)
        return _Good(entry, pixels, fingerprint(pixels))
    try:
        pixels = decode(content, name=entry.name, decoding=listing.decoding)
    except UnreadableImageError as error:
        return _Bad(entry, error.reason, str(error))
    return _Good(entry, pixels, fingerprint(pixels))


def _must_agree(sizes: dict[tuple[int, ...], list[Entry]], *, origin: str) -> None:
    """Refuses images of several sizes, naming the most frequent."""
    if len(sizes) < 2:
        return
    ranked = sorted(sizes.items(), key=lambda item: -len(item[1]))
    shown = "; ".join(
        f"{width} x {height}: {len(entries)}, such as {entries[0].name}"
        for (_, height, width), entries in ranked[:5]
    )
    total = sum(len(entries) for entries in sizes.values())
    smallest = min(min(height, width) for _, height, width in sizes)
    raise DataError(
        f"{origin}: the first {total} images have {len(sizes)} sizes ({shown}). Set `data.size` "
        f"to resize and crop all of them, such as data.size={min(smallest, 224)}."
    )


def _must_be_tolerable(bad: list[_Bad], listing: Listing) -> None:
    """Refuses every bad labelled image, and unlabeled ones beyond one in a hundred."""
    labelled = [found for found in bad if found.entry.label >= 0]
    if labelled:
        raise DataError(
            f"{listing.origin}: cannot read {len(labelled)} labelled images. "
            f"Repair or remove them.{_shown(labelled)}"
        )
    pool = sum(entry.label < 0 for entry in listing.entries)
    if len(bad) > MOST_SKIPPED * pool:
        raise DataError(
            f"{listing.origin}: cannot read {len(bad)} of {pool} unlabeled images; up to "
            f"{MOST_SKIPPED:.0%} are skipped. Repair or remove them.{_shown(bad)}"
        )


def _shown(bad: list[_Bad]) -> str:
    more = [f"... and {len(bad) - MOST_SHOWN} more"] if len(bad) > MOST_SHOWN else []
    return "".join(f"\n  {line}" for line in [f.sentence for f in bad[:MOST_SHOWN]] + more)


@contextmanager
def strict_and_quiet() -> Iterator[None]:
    """Pillow only warns of an image just too large, and reports harmless oddities on the screen.

    Warning filters belong to the process, so they are set once, around all threads.
    """
    logger = logging.getLogger("PIL")
    level = logger.level
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\.")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        logger.setLevel(logging.CRITICAL + 1)
        try:
            yield
        finally:
            logger.setLevel(level)
