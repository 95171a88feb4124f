"""Which images train, validate, test: given splits are kept, missing ones are carved out."""

from collections.abc import Sequence
from typing import Annotated, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from understudy.core.errors import DataError
from understudy.core.settings import Settings
from understudy.data.check.duplicates import (
    in_validation,
    leaked,
    left_out,
    note_of,
    twins,
    two_labels,
)
from understudy.data.check.finding import Finding, complaint, errors_of, named
from understudy.data.fingerprint import Fingerprints, groups_of
from understudy.data.shuffle import shuffled

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


class Catalogued(Protocol):
    """What a split needs to know of images: those of a pack, or those that a check has seen."""

    @property
    def names(self) -> Sequence[str]: ...  # noqa: D102 - as in `Pack`, and so are those below
    @property
    def labels(self) -> Indices: ...  # noqa: D102
    @property
    def given(self) -> Sequence[str]: ...  # noqa: D102
    @property
    def classes(self) -> Sequence[str]: ...  # noqa: D102
    @property
    def fingerprints(self) -> Fingerprints: ...  # noqa: D102


class Splits(NamedTuple):
    """Positions in the pack, sorted; no image is in two of them."""

    train: Indices
    val: Indices
    test: Indices
    unlabeled: Indices
    """Images from an unlabeled folder."""
    notes: tuple[str, ...] = ()
    """Sentences about identical images, for the run's record."""
    leaked: Indices = np.empty(0, dtype=np.int64)
    """Those of test and validation that are identical to an image that may be trained on; a test
    image also where it is one to validate with."""


def split(pack: Catalogued, settings: SplitSettings) -> Splits:
    """Train, validation and test images, no test image identical to any other split's.

    Identical images are kept on one side of a split that is carved here.

    Raises:
        DataError: A class is too small to be on every side, or a given test split shares images
            with another.
    """
    splits, found = divided(pack, settings)
    if errors := errors_of(found):
        raise DataError(complaint(errors))
    return splits


def divided(pack: Catalogued, settings: SplitSettings) -> tuple[Splits, list[Finding]]:
    """The splits, and what was found while they were made; they serve if that holds no error."""
    given, groups = np.array(pack.given), groups_of(pack.fingerprints)
    train = np.flatnonzero((given == "train") | (given == ""))
    val, test, unlabeled = (np.flatnonzero(given == name) for name in ("val", "test", "unlabeled"))
    carver = _Carver(pack.labels, groups, pack.classes, settings.seed)
    found = two_labels(pack.names, pack.labels, pack.classes, groups)

    if not len(test):
        in_val = np.isin(groups[train], groups[val])
        rest, test, short = carver.carve(
            train[~in_val], share=settings.test, name="test", parts_left=1 if len(val) else 2
        )
        found += short
        train = np.sort(np.concatenate([rest, train[in_val]]))
        seen = np.isin(groups[unlabeled], groups[test])
        found += left_out(pack.names, unlabeled[seen])
        unlabeled = unlabeled[~seen]
    if not len(val):
        train, val, short = carver.carve(train, share=settings.validation, name="val", parts_left=1)
        found += short if not errors_of(found) else []  # the same classes, too small for both

    leaks = twins(groups, test, np.concatenate([train, val, unlabeled]))
    copies = twins(groups, val, np.concatenate([train, unlabeled]))
    found += leaked(pack.names, leaks, allowed=settings.allow_duplicates)
    found += in_validation(pack.names, copies)
    notes = tuple(note_of(one) for one in found)
    touched = np.sort(np.concatenate([leaks[:, 0], copies[:, 0]]))
    return Splits(train, val, test, unlabeled, notes, touched), found


class _Carver(NamedTuple):
    """Takes a share of every class, never parting identical images."""

    labels: Indices
    groups: Indices
    classes: Sequence[str]
    seed: int

    def carve(
        self, candidates: Indices, *, share: float, name: str, parts_left: int
    ) -> tuple[Indices, Indices, list[Finding]]:
        """The rest and the part, both sorted, and the classes that are too small for it.

        `parts_left` is how many parts the rest must still make.
        """
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
        return candidates[~part], candidates[part], _too_small(short, name, parts_left)


def _too_small(short: list[str], name: str, parts_left: int) -> list[Finding]:
    if not short:
        return []
    sentence = (
        f"Cannot split off {name} images: every class needs at least {parts_left + 1} "
        f"different ones, and {named(short)}. Add images to these classes, take the "
        f"classes away, or give the {name} split as a folder."
    )
    return [Finding("too small to split", "error", sentence, tuple(short), len(short))]
