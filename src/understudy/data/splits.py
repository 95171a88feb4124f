"""Which images train, validate, test: given splits are kept, missing ones are carved out."""

from collections.abc import Sequence
from typing import Annotated, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from understudy.core.errors import DataError
from understudy.core.settings import Settings
from understudy.data.carve import MOST_SHOWN, Carver
from understudy.data.fingerprint import groups_of
from understudy.data.pack import Pack
from understudy.data.together import joined, numbered

Indices = NDArray[np.int64]
Share = Annotated[float, Field(gt=0, lt=1)]


class SplitSettings(Settings):
    """How to make the splits that a data set lacks; those that it has are kept as they are."""

    validation: Share = 0.1
    """Share of the training images to validate with, where no validation split is given."""
    test: Share = 0.2
    """Share of all images to test with, where no test split is given."""
    seed: int = 0
    """Draws the carved splits; apart from the seeds of runs, which all share one split."""
    allow_duplicates: bool = False
    """Go on although test images are identical to others, which makes the test too easy."""
    allow_shared_groups: bool = False
    """Go on although a given test split has groups in common with others: too easy a test."""


class Splits(NamedTuple):
    """Positions in the pack, sorted; no image is in two of them."""

    train: Indices
    val: Indices
    test: Indices
    unlabeled: Indices
    """Images from an unlabeled folder."""
    notes: tuple[str, ...] = ()
    """Sentences about images that are identical or of one group, for the run's record."""


def split(pack: Pack, settings: SplitSettings) -> Splits:
    """Train, validation and test images; no test image shares pixels or group with another split's.

    What belongs together is kept on one side of a split that is carved here.

    Raises:
        DataError: A class is too small to be on every side, or a given test split shares images
            or groups with another.
    """
    given, copies = np.array(pack.given), groups_of(pack.fingerprints)
    groups = numbered(pack.groups) if pack.groups else np.full(len(copies), -1)
    bundles = joined(copies, groups)
    train = np.flatnonzero((given == "train") | (given == ""))
    val, test, unlabeled = (np.flatnonzero(given == name) for name in ("val", "test", "unlabeled"))
    carver = Carver(pack.labels, bundles, pack.classes, settings.seed, bool(pack.groups))
    notes = _conflicts(pack, copies)
    if alone := pack.groups.count(""):
        notes.append(f"{alone} of {len(copies)} images belong to no group")

    if not len(test):
        in_val = np.isin(bundles[train], bundles[val])
        rest, test = carver.carve(
            train[~in_val], share=settings.test, name="test", parts_left=1 if len(val) else 2
        )
        train = np.sort(np.concatenate([rest, train[in_val]]))
        unlabeled, left_out = _apart(unlabeled, test, copies, bundles)
        notes += left_out
    if not len(val):
        train, val = carver.carve(train, share=settings.validation, name="val", parts_left=1)

    outside = np.concatenate([train, val, unlabeled])
    notes += _tested_elsewhere(pack, copies, groups, test, outside, settings)
    others = np.concatenate([train, unlabeled])
    if twins := _twins(pack, copies, val, others):
        notes.append(f"{len(twins)} validation images are identical to others: {_shown(twins)}")
    if parted := _parted(pack, groups, val, others):
        notes.append(f"{len(parted)} groups of validation images hold others too: {_shown(parted)}")
    return Splits(train, val, test, unlabeled, tuple(notes))


def _apart(
    unlabeled: Indices, test: Indices, copies: Indices, bundles: Indices
) -> tuple[Indices, list[str]]:
    """The unlabeled images that have nothing to do with test images, and what became of others."""
    seen = np.isin(bundles[unlabeled], bundles[test])
    same = np.isin(copies[unlabeled], copies[test])
    counts = {"identical to test images": same, "of a group of test images": seen & ~same}
    notes = [
        f"{found.sum()} unlabeled images are left out: {reason}"
        for reason, found in counts.items()
        if found.any()
    ]
    return unlabeled[~seen], notes


def _tested_elsewhere(
    pack: Pack,
    copies: Indices,
    groups: Indices,
    test: Indices,
    others: Indices,
    settings: SplitSettings,
) -> list[str]:
    """Sentences on what test images share with others, where that is allowed.

    Raises:
        DataError: Where it is not; both kinds are told at once.
    """
    leaks = _twins(pack, copies, test, others)
    parted = _parted(pack, groups, test, others)
    refused = []
    if leaks and not settings.allow_duplicates:
        refused.append(
            f"{len(leaks)} test images are identical to images outside the test split: "
            f"{_shown(leaks)}. Remove them from one side, or set `split.allow_duplicates=true` to "
            "test on images that the model may have seen."
        )
    if parted and not settings.allow_shared_groups:
        refused.append(
            f"{len(parted)} groups are in the test split and outside of it: {_shown(parted)}. "
            "Put each on one side, or set `split.allow_shared_groups=true` to test on images of "
            "groups that the model may have seen."
        )
    if refused:
        raise DataError("\n".join(refused))
    notes = {
        f"{len(leaks)} test images are identical to others": leaks,
        f"{len(parted)} groups of test images hold others too": parted,
    }
    return [f"{what}: {_shown(found)}" for what, found in notes.items() if found]


def _twins(pack: Pack, groups: Indices, some: Indices, others: Indices) -> list[str]:
    """For each of some images that has identical ones among the others, both names."""
    twin = dict(zip(groups[others][::-1], others[::-1], strict=True))  # the first one stays
    return [
        f"{pack.names[index]} = {pack.names[twin[group]]}"
        for index, group in zip(some, groups[some], strict=True)
        if group in twin
    ]


def _parted(pack: Pack, groups: Indices, some: Indices, others: Indices) -> list[str]:
    """For each group with images on both sides, its name and an image of each side."""
    first, second = (
        {groups[index]: index for index in side[::-1] if groups[index] >= 0}  # the first one stays
        for side in (some, others)
    )
    return [
        f"{pack.groups[first[group]]!r} ({pack.names[first[group]]}, {pack.names[second[group]]})"
        for group in sorted(first.keys() & second.keys())
    ]


def _conflicts(pack: Pack, groups: Indices) -> list[str]:
    """A sentence on identical images with different labels, if there are any."""
    labelled = np.flatnonzero(pack.labels >= 0)
    pairs = np.unique(np.stack([groups[labelled], pack.labels[labelled]]), axis=1)
    torn = np.flatnonzero(np.bincount(pairs[0]) > 1) if pairs.size else np.array([], np.int64)
    if not len(torn):
        return []
    members = [labelled[groups[labelled] == group] for group in torn[:MOST_SHOWN]]
    shown = [" = ".join(pack.names[index] for index in same) for same in members]
    return [f"{len(torn)} images occur with different labels: {_shown(shown, of=len(torn))}"]


def _shown(found: Sequence[str], of: int | None = None) -> str:
    more = (len(found) if of is None else of) - MOST_SHOWN
    return "; ".join(found[:MOST_SHOWN]) + (f"; and {more} more" if more > 0 else "")
