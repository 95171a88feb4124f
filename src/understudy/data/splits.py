"""Which images train, validate, test: given splits are kept, missing ones are carved out."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, NamedTuple, Protocol, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from understudy.core.errors import DataError
from understudy.core.settings import Added, Settings
from understudy.data.carve import Carver
from understudy.data.check.duplicates import (
    in_validation,
    leaked,
    left_out,
    note_of,
    twins,
    two_labels,
)
from understudy.data.check.finding import Finding, complaint, errors_of
from understudy.data.check.groups import groups_in_validation, parted, shared_groups, without_group
from understudy.data.fingerprint import Fingerprints, groups_of
from understudy.data.together import joined, numbered

Indices = NDArray[np.int64]
Share = Annotated[float, Field(gt=0, lt=1)]


class SplitSettings(Settings):
    """How to make the splits that a data set lacks; those that it has are kept as they are."""

    validation: Share = 0.1
    """Share of the training images to validate with, where no validation split is given."""
    validation_of: Annotated[Literal["training", "all"], Added()] = "training"
    """What `validation` is a share of: the images that are left once test images are drawn, or
    `all` of them, so that validation=0.15 and test=0.15 leave 70 %."""
    test: Share = 0.2
    """Share of all images to test with, where no test split is given."""
    seed: int = 0
    """Draws the carved splits; apart from the seeds of runs, which all share one split."""
    keep_out: Annotated[tuple[str, ...], Added()] = ()
    """Schemes whose test images nothing here learns from, as for a pretraining that serves several;
    that of the run itself may be among them. Without a scheme of its own, and without a given test
    split, a run tests on them."""
    allow_duplicates: bool = False
    """Go on although test images are identical to others, which makes the test too easy."""
    allow_shared_groups: bool = False
    """Go on although a given test split has groups in common with others: too easy a test."""
    allow_seen: Annotated[bool, Added()] = False
    """Go on although what a run starts or learns from, made for another scheme, has learned from
    images that are test images here."""

    @model_validator(mode="after")
    def _leave_some(self) -> Self:
        if self.validation_of == "all" and self.validation + self.test >= 1:
            raise ValueError("validation: with `test` it takes all images; leave some for training")
        return self


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
    @property
    def groups(self) -> Sequence[str]: ...  # noqa: D102
    @property
    def kept_out(self) -> Indices: ...  # noqa: D102
    @property
    def meaning(self) -> Mapping[str, tuple[str, ...]]: ...  # noqa: D102


class Splits(NamedTuple):
    """Positions in the pack, sorted; no image is in two of them."""

    train: Indices
    val: Indices
    test: Indices
    unlabeled: Indices
    """Images from an unlabeled folder."""
    notes: tuple[str, ...] = ()
    """Sentences about images that are identical or of one group, for the run's record."""
    leaked: Indices = np.empty(0, dtype=np.int64)
    """Those of test and validation that are identical to an image that may be trained on; a test
    image also where it is one to validate with."""


def split(pack: Catalogued, settings: SplitSettings) -> Splits:
    """Train, validation and test images; no test image shares pixels or group with another split's.

    What belongs together is kept on one side of a split that is carved here.

    Raises:
        DataError: A class is too small to be on every side, or a given test split shares images
            or groups with another.
    """
    splits, found = divided(pack, settings)
    if errors := errors_of(found):
        raise DataError(complaint(errors))
    return splits


def divided(pack: Catalogued, settings: SplitSettings) -> tuple[Splits, list[Finding]]:
    """The splits, and what was found while they were made; they serve if that holds no error."""
    given, copies = np.array(pack.given), groups_of(pack.fingerprints)
    groups = numbered(pack.groups) if pack.groups else np.full(len(copies), -1)
    bundles = joined(copies, groups)
    train = np.flatnonzero((given == "train") | (given == ""))
    val, test, unlabeled = (np.flatnonzero(given == name) for name in ("val", "test", "unlabeled"))
    carver = Carver(pack.labels, bundles, pack.classes, settings.seed, bool(pack.groups))
    found = two_labels(pack.names, pack.labels, pack.classes, copies)
    found += without_group(pack.names, pack.groups)

    if not len(test) and len(pack.kept_out) and not pack.meaning:
        test = np.unique(pack.kept_out)
        train, val, unlabeled, out = _without(bundles, test, train, val, unlabeled)
        found += left_out(pack.names, out, "identical to test images, or of their group")
    elif not len(test):
        in_val = np.isin(bundles[train], bundles[val])
        rest, test, short = carver.carve(
            train[~in_val], share=settings.test, name="test", parts_left=1 if len(val) else 2
        )
        found += short
        train = np.sort(np.concatenate([rest, train[in_val]]))
        seen = np.isin(bundles[unlabeled], bundles[test])
        same = np.isin(copies[unlabeled], copies[test])
        found += left_out(pack.names, unlabeled[same], "identical to test images")
        found += left_out(pack.names, unlabeled[seen & ~same], "of a group of test images")
        unlabeled = unlabeled[~seen]
    if not len(val):
        every = train if settings.validation_of == "training" else np.concatenate([train, test])
        train, val, short = carver.carve(
            train, share=settings.validation, of=every, name="val", parts_left=1
        )
        found += short if not errors_of(found) else []  # the same classes, too small for both
    if pack.meaning:  # test and validation of a scheme are the same whatever is kept out
        train, val, unlabeled, out = _without(bundles, pack.kept_out, train, val, unlabeled)
        found += left_out(pack.names, out, "test images of schemes that are kept out, or like them")

    outside, others = np.concatenate([train, val, unlabeled]), np.concatenate([train, unlabeled])
    leaks, seen_in_val = twins(copies, test, outside), twins(copies, val, others)
    found += leaked(pack.names, leaks, allowed=settings.allow_duplicates)
    found += shared_groups(
        pack.names,
        pack.groups,
        parted(groups, test, outside),
        allowed=settings.allow_shared_groups,
    )
    found += in_validation(pack.names, seen_in_val)
    found += groups_in_validation(pack.names, pack.groups, parted(groups, val, others))
    notes = tuple(note_of(one) for one in found)
    touched = np.sort(np.concatenate([leaks[:, 0], seen_in_val[:, 0]]))
    return Splits(train, val, test, unlabeled, notes, touched), found


def _without(
    bundles: Indices, kept_out: Indices, *parts: Indices
) -> tuple[Indices, Indices, Indices, Indices]:
    """Training, validation and unlabeled images that do not belong to those kept out.

    Last come the images that belong to them and are none of them.
    """
    rest, taken = [], []
    for part in parts:
        seen = np.isin(bundles[part], bundles[kept_out])
        rest.append(part[~seen])
        taken.append(part[seen])
    train, val, unlabeled = rest
    return train, val, unlabeled, np.setdiff1d(np.concatenate(taken), kept_out)
