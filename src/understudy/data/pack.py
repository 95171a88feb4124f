"""The pack: a data set decoded once, mapped into memory, shared by all runs, safe to delete."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from understudy.core.depth import Depth, Pixels, depth_of, white
from understudy.core.errors import StorageError
from understudy.core.files import make_folder, read_json, replace_folder, write_text
from understudy.core.locks import one_at_a_time
from understudy.core.numbers import Numbers
from understudy.core.progress import Progress
from understudy.data.bands.decoding import BandDecoding
from understudy.data.bands.stack import types_in
from understudy.data.check.files import unusable
from understudy.data.check.inspection import Inspection, groups_or_none, read_inspection
from understudy.data.content import content_digests, content_key, quick_key
from understudy.data.fingerprint import Fingerprints
from understudy.data.label_sets import sets_of
from understudy.data.packing import inspect, write_pack
from understudy.data.sources.listing import Listing, mistakes

CHUNK = 1 << 24  # bytes of images looked at at once for the statistics


class Pack(NamedTuple):
    """All images of a source that could be read, in the source's order."""

    images: Pixels
    """[N, C, H, W], of 8 or 16 bits, mapped read-only."""
    names: tuple[str, ...]
    labels: NDArray[np.int64]
    """[N]; -1 where there is none."""
    given: tuple[str, ...]
    """For each image "train", "val", "test", "unlabeled", or "" where the source gives no split."""
    classes: tuple[str, ...]
    key: str
    """Hash of the images' bytes, names, splits, labels and groups, and of how they were decoded."""
    skipped: Mapping[str, int]
    """What is not in the pack, counted by reason: system files, unreadable unlabeled images."""
    fingerprints: Fingerprints
    """[N, 2]: equal exactly for images of equal pixels."""
    groups: tuple[str, ...] = ()
    """For each image what it belongs to, "" for nothing; empty where no image belongs to any."""
    bands: tuple[str, ...] = ()
    """Names of the channels where they are bands; empty for photographs, which are RGB or grey."""
    numbers: Numbers | None = None
    """What the numbers of their files are, of bands; None for photographs, or where it is not
    known."""
    tags: tuple[str, ...] = ()
    """Every label there is, where an image may have several; empty where each has one class."""
    tagged: tuple[tuple[int, ...] | None, ...] = ()
    """Positions of each image's tags; None where nobody knows them."""
    meaning: Mapping[str, tuple[str, ...]] = {}
    """Each class of the scheme that was laid over it, with its labels; empty without a scheme."""
    kept_out: NDArray[np.int64] = np.empty(0, dtype=np.int64)
    """Positions of the images that other schemes test with, and nothing here may learn from."""

    @property
    def label_sets(self) -> Sequence[tuple[str, ...] | None]:
        """The labels of each image as the source gives them; None where nobody knows them."""
        return sets_of(self.labels, self.classes, self.tagged, self.tags)

    @property
    def depth(self) -> Depth:
        """How deep the pixels are."""
        return depth_of(self.images.dtype)

    def mean_std(self, indices: NDArray[np.int64]) -> tuple[list[float], list[float]]:
        """Mean and standard deviation of each channel over some images, on the scale 0 to 1.

        The sums are whole numbers, so the result depends on nothing but the pixels. A constant
        channel has nothing to normalise; its deviation is given as 1.
        """
        channels, brightest = self.images.shape[1], white(self.images.dtype)
        total, squares, pixels = [0] * channels, [0] * channels, 0
        step = max(1, CHUNK // self.images[0].nbytes)
        ordered = np.sort(indices)
        wide = np.uint16 if self.images.dtype == np.uint8 else np.uint32  # what holds a square
        for start in range(0, len(ordered), step):
            values = self.images[ordered[start : start + step]].astype(wide)
            sums = values.sum(axis=(0, 2, 3), dtype=np.uint64)
            of_squares = np.square(values, out=values).sum(axis=(0, 2, 3), dtype=np.uint64)
            total = [sum_ + int(more) for sum_, more in zip(total, sums, strict=True)]
            squares = [sum_ + int(more) for sum_, more in zip(squares, of_squares, strict=True)]
            pixels += values[:, 0].size
        variances = [
            (pixels * of_squares - sum_**2) / pixels**2
            for sum_, of_squares in zip(total, squares, strict=True)
        ]
        return (
            [sum_ / pixels / brightest for sum_ in total],
            [variance**0.5 / brightest if variance else 1.0 for variance in variances],
        )


class Examined(NamedTuple):
    """What was seen of a source's images, and the pack, where they can make one."""

    inspection: Inspection
    pack: Pack | None


def examine(listing: Listing, *, shared: Path, progress: Progress) -> Examined:
    """Looks at every image once, and packs them where that can be; finds what was done before.

    Args:
        listing: The source's content. One with mistakes is looked at, but not packed.
        shared: Where runs share things; packs lie in its folder `packs`.
        progress: Where to show how far it is.

    Raises:
        DataError: A file changed while it was read.
        StorageError: The disk refuses or is too small.
    """
    if mistakes(listing):
        return Examined(inspect(listing, None, keep=None, progress=progress), None)
    packs = make_folder(shared / "packs")
    note = packs / f"{quick_key(listing) or 'none'}.key"
    if note.exists():
        known = _loaded(packs / note.read_text(encoding="utf-8").strip(), listing)
        if known is not None:
            return known
    digests = content_digests(listing, progress)
    key = content_key(listing, digests)
    examined = _made_by_one(packs / key, listing, digests, progress)
    if examined.pack is not None:
        for reason, count in examined.pack.skipped.items():
            progress.say(f"{listing.origin}: left out {count} x {reason}")
        if listing.stamp:
            write_text(note, key + "\n")
    return examined


def stored_pack(key: str, *, shared: Path) -> Pack | None:
    """A pack that was made before, by its key; None where it is no longer there.

    What its source ignored is not known here.
    """
    return _loaded_pack(shared / "packs" / key, {}) if key.isalnum() else None


def _made_by_one(
    place: Path, listing: Listing, digests: list[bytes], progress: Progress
) -> Examined:
    """Opens the pack, after one process at a time has looked whether it must be made."""

    def waiting() -> None:
        progress.say(f"{listing.origin}: waiting for another process that is packing it")

    with one_at_a_time(place.with_suffix(".lock"), waiting=waiting):
        known = _loaded(place, listing)
        if known is not None:
            return known
        inspection = _make(place, listing, digests, progress)
        if unusable(inspection):
            return Examined(inspection, None)
        known = _loaded(place, listing)
    if known is None:
        raise StorageError(f"{place}: written, but not readable again. Check the disk.")
    return known


def _make(place: Path, listing: Listing, digests: list[bytes], progress: Progress) -> Inspection:
    _clean(place.parent)
    partial = place.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)  # of a process that was killed: we hold its lock
    make_folder(partial)
    try:
        inspection = write_pack(listing, digests, folder=partial, progress=progress)
        if not unusable(inspection):
            replace_folder(partial, place)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return inspection


def _clean(packs: Path) -> None:
    """Removes what killed processes left of other packs."""
    for partial in packs.glob("*.partial"):
        lock = FileLock(partial.with_suffix(".lock"))
        try:
            with lock.acquire(timeout=0):
                shutil.rmtree(partial, ignore_errors=True)
        except Timeout:
            continue  # somebody is writing it


def _loaded(folder: Path, listing: Listing) -> Examined | None:
    """What lies in a pack's folder, or None if it is absent or not whole."""
    pack = _loaded_pack(folder, listing.ignored)
    if pack is None:
        return None
    _, _, height, width = pack.images.shape
    try:
        inspection = read_inspection(
            folder, listing, fingerprints=pack.fingerprints, shape=(width, height)
        )
    except (OSError, StorageError, ValueError, KeyError, TypeError):
        return None
    return Examined(inspection, pack._replace(numbers=_numbers(inspection, pack.depth)))


def _numbers(inspection: Inspection, depth: Depth) -> Numbers | None:
    """From what was seen of the files, so that packs of before anybody asked tell it too."""
    decoding = inspection.listing.decoding
    if not isinstance(decoding, BandDecoding) or not len(inspection.readable):
        return None
    look = inspection.looks[inspection.readable[0]]  # all are of one type, or make no pack
    types = [np.dtype(one) for one in types_in(look.mode)]  # a folder's other bands may have others
    told = {decoding.numbers_of(one) for one in types if decoding.depth_of(one) == depth}
    return told.pop() if len(told) == 1 else None


def _loaded_pack(folder: Path, ignored: Mapping[str, int]) -> Pack | None:
    """The pack in a folder, or None if it is absent or not whole."""
    try:
        columns = read_json(folder / "pack.json")
        # np.load refuses a file shorter than its header says.
        images = np.load(folder / "images.npy", mmap_mode="r", allow_pickle=False)
        fingerprints = np.load(folder / "fingerprints.npy", allow_pickle=False)
        pack = Pack(
            images=images,
            names=tuple(columns["names"]),
            labels=np.array(columns["labels"], dtype=np.int64),
            given=tuple(columns["given"]),
            classes=tuple(columns["classes"]),
            key=folder.name,
            skipped={**ignored, **columns["skipped"]},
            fingerprints=fingerprints,
            groups=groups_or_none(columns.get("groups", ())),  # packs of before there were groups
            bands=tuple(columns.get("bands", ())),  # likewise
            tags=tuple(columns.get("tags", ())),
            tagged=tuple(
                None if tags is None else tuple(tags) for tags in columns.get("tagged", ())
            ),
        )
    except (OSError, StorageError, ValueError, KeyError, TypeError):
        return None
    whole = len(images) == len(fingerprints) == len(pack.names) == len(pack.labels)
    whole &= {len(pack.groups), len(pack.tagged)} <= {0, len(images)}
    return pack if whole else None
