"""Whether every file is an image that can serve: what cannot be read, or is not what it says."""

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from os.path import splitext
from typing import NamedTuple

import numpy as np
from PIL import Image

from understudy.data.check.finding import Finding, of_members
from understudy.data.check.inspection import Inspection
from understudy.data.check.layouts import several_layouts

MOST_SKIPPED = 0.01  # of the unlabeled images; beyond it is a broken copy, not a bad file
MOST_SIZES = 5  # named in a sentence
MOST_SUGGESTED = 224  # pixels; what most backbones were made for
DARK = 65_535 // 4  # below it an image of 16 bits keeps fewer than 64 of 256 levels of grey


def unusable(inspection: Inspection) -> list[Finding]:
    """Why no training can start from these files: all that stands against it."""
    unreadable = [*_unreadable_labelled(inspection), *_too_many(inspection)]
    return [
        *unreadable,
        *several_layouts(inspection, refused=bool(unreadable)),
        *several_sizes(inspection),
    ]


def skipped(inspection: Inspection) -> Mapping[str, int]:
    """The unlabeled images that no training will see, counted by reason."""
    return Counter(
        f"unlabeled image: {look.reason}"
        for entry, look in zip(inspection.listing.entries, inspection.looks, strict=True)
        if look.reason and entry.label < 0
    )


def files(inspection: Inspection) -> list[Finding]:
    """What does not stop a training but should be known of the files."""
    return [
        *_skipped_few(inspection),
        *_misnamed(inspection),
        *_dark(inspection),
        *_constant(inspection),
        *_animations(inspection),
    ]


def several_sizes(inspection: Inspection) -> list[Finding]:
    """Images of several sizes where one size for all was not asked for."""
    sizes, first, counts = np.unique(
        inspection.shapes, axis=0, return_index=True, return_counts=True
    )
    if len(sizes) < 2:
        return []
    names = inspection.names
    shown = "; ".join(
        f"{sizes[place][0]} x {sizes[place][1]}: {counts[place]}, such as {names[first[place]]}"
        for place in np.argsort(-counts, kind="stable")[:MOST_SIZES]
    )
    side = min(int(sizes.min()), MOST_SUGGESTED)
    sentence = (
        f"the {counts.sum()} images have {len(sizes)} sizes ({shown}). Set `data.size` to resize "
        f"and crop all of them, such as data.size={side}."
    )
    return [Finding("sizes", "error", sentence, (), len(sizes))]


class _Bad(NamedTuple):
    reasons: Counter[str]
    members: tuple[str, ...]
    """The first of every reason, then the second of every reason, and so on."""

    @property
    def counts(self) -> str:
        """`2 damaged, 1 empty`."""
        return ", ".join(f"{count} {reason}" for reason, count in self.reasons.most_common())


def _bad(inspection: Inspection, *, labelled: bool) -> _Bad:
    reasons: Counter[str] = Counter()
    ranked: list[tuple[int, str]] = []
    for entry, look in zip(inspection.listing.entries, inspection.looks, strict=True):
        if look.reason and (entry.label >= 0) == labelled:
            reasons[look.reason] += 1
            told = f"{entry.name}: {look.reason} ({look.detail})"
            ranked.append((reasons[look.reason], told))
    ranked.sort(key=lambda one: one[0])
    return _Bad(reasons, tuple(told for _, told in ranked))


def _unreadable_labelled(inspection: Inspection) -> list[Finding]:
    bad = _bad(inspection, labelled=True)
    count = len(bad.members)
    if not count:
        return []
    noun = "image" if count == 1 else "images"
    sentence = (
        f"cannot read {count} labelled {noun} ({bad.counts}). Repair, convert or remove them:"
    )
    return [Finding("unreadable", "error", sentence, bad.members, count)]


def _pool(inspection: Inspection) -> int:
    return sum(entry.label < 0 for entry in inspection.listing.entries)


def _too_many(inspection: Inspection) -> list[Finding]:
    bad, pool = _bad(inspection, labelled=False), _pool(inspection)
    count = len(bad.members)
    if count <= MOST_SKIPPED * pool:
        return []
    sentence = (
        f"cannot read {count} of {pool} unlabeled images; up to {MOST_SKIPPED:.0%} are skipped "
        f"({bad.counts}). Repair, convert or remove them:"
    )
    return [Finding("unreadable", "error", sentence, bad.members, count)]


def _skipped_few(inspection: Inspection) -> list[Finding]:
    bad, pool = _bad(inspection, labelled=False), _pool(inspection)
    count = len(bad.members)
    if not count or _too_many(inspection):
        return []
    sentence = (
        f"{count} of {pool} unlabeled images cannot be read, and are left out ({bad.counts}):"
    )
    return [Finding("unreadable", "warning", sentence, bad.members, count)]


@cache
def _formats() -> Mapping[str, str]:
    """The format that a suffix promises, as Pillow knows it."""
    Image.init()
    return {**Image.registered_extensions(), ".jfif": "JPEG", ".jpe": "JPEG"}


def _misnamed(inspection: Inspection) -> list[Finding]:
    """Files of another type than their suffix says: they are read as what they are."""
    found = tuple(
        f"{entry.name}: {look.format}"
        for entry, look in zip(inspection.listing.entries, inspection.looks, strict=True)
        if look.format and not _agree(splitext(entry.name)[1], look.format)
    )
    return of_members(
        "misnamed",
        "note",
        found,
        one="file is",
        many="files are",
        then=" of another type than the name says, and read as what they are:",
    )


def _agree(suffix: str, found: str) -> bool:
    """Whether the format is what the suffix promises; none, or an unknown one, promises nothing.

    Phones write JPEG files with further pictures behind the first, which Pillow calls MPO.
    """
    promised = _formats().get(suffix.lower())
    return promised in (None, found) or {promised, found} == {"JPEG", "MPO"}


def _dark(inspection: Inspection) -> list[Finding]:
    """Images of 16 bits that hold fewer, as of many sensors: divided by 257 they are nearly black.

    One among brighter ones is a dark picture; where more than half are so, it is the scale.
    """
    deep = [
        (entry.name, look.peak)
        for entry, look in zip(inspection.listing.entries, inspection.looks, strict=True)
        if look.peak and not look.reason
    ]
    dark = [(name, peak) for name, peak in deep if peak < DARK]
    if 2 * len(dark) <= len(deep):
        return []
    levels = 1 + (max(peak for _, peak in dark) + 128) // 257
    return of_members(
        "dark",
        "warning",
        tuple(f"{name}: up to {peak:,}" for name, peak in dark),
        one="image of 16 bits uses",
        many="images of 16 bits use",
        then=(
            f" less than a quarter of the range. As 65,535 counts as white, they become nearly "
            f"black, and at most {levels} levels of grey are left. Scale them to the whole range, "
            "all by one factor:"
        ),
    )


def _constant(inspection: Inspection) -> list[Finding]:
    looks = inspection.looks
    names = tuple(
        entry.name
        for entry, look in zip(inspection.listing.entries, looks, strict=True)
        if look.constant and not look.reason
    )
    return of_members(
        "constant",
        "warning",
        names,
        one="image has",
        many="images have",
        then=" a single colour and show nothing:",
    )


def flat(inspection: Inspection, splits: Sequence[str]) -> list[Finding]:
    """Images as alike as open water: whether one is another's copy nobody can tell.

    Args:
        inspection: What was seen of every image.
        splits: Of the readable images.
    """
    places = inspection.readable.tolist()
    found = [
        (inspection.listing.entries[place].name, split)
        for place, split in zip(places, splits, strict=True)
        if inspection.looks[place].flat
    ]
    tested = sum(split == "test" for _, split in found)
    return of_members(
        "flat",
        "note",
        tuple(name for name, _ in found),
        one="image shows",
        many="images show",
        then=(
            f" hardly anything{f' ({tested:,} of the test split)' if tested else ''}, too little "
            "to tell copies and look-alikes of one from others:"
        ),
    )


def _animations(inspection: Inspection) -> list[Finding]:
    names = tuple(
        entry.name
        for entry, look in zip(inspection.listing.entries, inspection.looks, strict=True)
        if look.frames > 1 and look.format != "MPO"
    )
    return of_members(
        "animation",
        "note",
        names,
        one="image is an animation",
        many="images are animations",
        then="; the first frame counts:",
    )
