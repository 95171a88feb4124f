"""Which images train, validate, test: given splits are kept, missing ones are carved out."""

from collections.abc import Sequence
from typing import Annotated, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from understudy.core.errors import DataError
from understudy.core.settings import Settings
from understudy.data.fingerprint import groups_of
from understudy.data.pack import Pack
from understudy.data.shuffle import shuffled

Indices = NDArray[np.int64]
Share = Annotated[float, Field(gt=0, lt=1)]
MOST_SHOWN = 10


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


class Splits(NamedTuple):
    """Positions in the pack, sorted; no image is in two of them."""

    train: Indices
    val: Indices
    test: Indices
    unlabeled: Indices
    """Images from an unlabeled folder."""
    notes: tuple[str, ...] = ()
    """Sentences about identical images, for the run's record."""


def split(pack: Pack, settings: SplitSettings) -> Splits:
    """Train, validation and test images, no test image identical to any other split's.

    Identical images are kept on one side of a split that is carved here.

    Raises:
        DataError: A class is too small to be on every side, or a given test split shares images
            with another.
    """
    given, groups = np.array(pack.given), groups_of(pack.fingerprints)
    train = np.flatnonzero((given == "train") | (given == ""))
    val, test, unlabeled = (np.flatnonzero(given == name) for name in ("val", "test", "unlabeled"))
    carver = _Carver(pack.labels, groups, pack.classes, settings.seed)
    notes = _conflicts(pack, groups)

    if not len(test):
        in_val = np.isin(groups[train], groups[val])
        rest, test = carver.carve(
            train[~in_val], share=settings.test, name="test", parts_left=1 if len(val) else 2
        )
        train = np.sort(np.concatenate([rest, train[in_val]]))
        seen = np.isin(groups[unlabeled], groups[test])
        unlabeled = unlabeled[~seen]
        if seen.any():
            notes.append(f"{seen.sum()} unlabeled images are left out: identical to test images")
    if not len(val):
        train, val = carver.carve(train, share=settings.validation, name="val", parts_left=1)

    leaks = _twins(pack, groups, test, np.concatenate([train, val, unlabeled]))
    if leaks and not settings.allow_duplicates:
        raise DataError(
            f"{len(leaks)} test images are identical to images outside the test split: "
            f"{_shown(leaks)}. Remove them from one side, or set `split.allow_duplicates=true` to "
            "test on images that the model may have seen."
        )
    if leaks:
        notes.append(f"{len(leaks)} test images are identical to others: {_shown(leaks)}")
    twins = _twins(pack, groups, val, np.concatenate([train, unlabeled]))
    if twins:
        notes.append(f"{len(twins)} validation images are identical to others: {_shown(twins)}")
    return Splits(train, val, test, unlabeled, tuple(notes))


class _Carver(NamedTuple):
    """Takes a share of every class, never parting identical images."""

    labels: Indices
    groups: Indices
    classes: Sequence[str]
    seed: int

    def carve(
        self, candidates: Indices, *, share: float, name: str, parts_left: int
    ) -> tuple[Indices, Indices]:
        """The rest and the part, both sorted; `parts_left`: how many the rest must still make."""
        part = np.zeros(len(candidates), dtype=bool)
        groups, labels = self.groups[candidates], self.labels[candidates]
        first_members = np.unique(groups, return_index=True)[1]  # a group counts for one class
        sizes = np.bincount(groups)
        short: list[str] = []
        for label, class_name in enumerate(self.classes):
            own = np.sort(first_members[labels[first_members] == label])
            drawn = shuffled(groups[own], seed=self.seed, purpose=f"split/{name}/{class_name}")
            if len(drawn) <= parts_left:
                short.append(f"{class_name!r} has {len(drawn)}")
                continue
            wanted = max(1, round(share * np.count_nonzero(labels == label)))
            enough = int(np.searchsorted(np.cumsum(sizes[drawn]), wanted)) + 1
            part |= np.isin(groups, drawn[: min(enough, len(drawn) - parts_left)])
        if short:
            raise DataError(
                f"Cannot split off {name} images: every class needs at least {parts_left + 1} "
                f"different ones, and {_shown(short)}. Add images to these classes, take the "
                f"classes away, or give the {name} split as a folder."
            )
        return candidates[~part], candidates[part]


def _twins(pack: Pack, groups: Indices, some: Indices, others: Indices) -> list[str]:
    """For each of some images that has identical ones among the others, both names."""
    twin = dict(zip(groups[others][::-1], others[::-1], strict=True))  # the first one stays
    return [
        f"{pack.names[index]} = {pack.names[twin[group]]}"
        for index, group in zip(some, groups[some], strict=True)
        if group in twin
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
