"""Label schemes: classes made of the labels that images have, whatever source they come from."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Literal, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from understudy.core.settings import Settings
from understudy.core.wording import closest
from understudy.data.check.finding import Finding, of_members
from understudy.data.label_sets import LabelSets
from understudy.data.shuffle import shuffled
from understudy.data.sources.class_list import class_list
from understudy.data.sources.listing import quoted

Indices = NDArray[np.int64]
Meaning = Mapping[str, tuple[str, ...]]
"""Class names, and the labels of which any makes an image one of the class."""
LEFT_OUT = "left out"
"""The split of given test images that a scheme has no use for: nobody learns from them either."""
FOR_JUDGING = ("val", "test")


class SchemeSettings(Settings):
    """Classes made of the data's own labels, as sets of them."""

    classes: Annotated[Mapping[str, tuple[str, ...]], Field(min_length=1)]
    """Each class with the labels of which any makes an image one of it:
    {irrigated: [Permanently irrigated land, Rice fields]}."""
    otherwise: str | None = None
    """The class of labelled images that have no label of any class; without it they are
    unlabeled."""
    several: Literal["refuse", "unlabeled"] = "refuse"
    """What becomes of images that have labels of several classes."""
    sample: Literal["all", "balanced"] = "all"
    """`balanced`: as many images of each class as the rarest has, so of two classes every rarer
    one; `split.seed` draws them, and the others are unlabeled."""

    @model_validator(mode="after")
    def _makes_classes(self) -> Self:
        if self.otherwise in self.classes:
            raise ValueError(f"otherwise: {self.otherwise!r} is one of `classes`")
        if len(self.classes) < 2 and self.otherwise is None:
            raise ValueError("classes: one alone is no choice; name the others with `otherwise`")
        if bare := [name for name, members in self.classes.items() if not members]:
            raise ValueError(f"classes: {quoted(bare)} has no label; give it some")
        counts = Counter(label for members in self.classes.values() for label in set(members))
        if twice := [label for label, count in counts.items() if count > 1]:
            raise ValueError(f"classes: {quoted(twice)} stands in several; a label is of one class")
        return self

    @property
    def meaning(self) -> Meaning:
        """Each class with its labels, in the order of the classes; no labels: all others."""
        of_others = {} if self.otherwise is None else {self.otherwise: ()}
        return {name: {**self.classes, **of_others}[name] for name in self._ordered()}

    def _ordered(self) -> tuple[str, ...]:
        """By name: a scheme is known by its settings, which have no order."""
        others = () if self.otherwise is None else (self.otherwise,)
        return class_list(("", name) for name in (*self.classes, *others))[0]


class Called(NamedTuple):
    """What a scheme makes of images."""

    meaning: Meaning
    labels: Indices
    """[N], positions in the names of `meaning`; -1 where there is none."""
    given: tuple[str, ...]
    """As in a pack: those without a class are unlabeled, or left out of a given test split."""
    findings: tuple[Finding, ...]

    @property
    def classes(self) -> tuple[str, ...]:
        """Their names."""
        return tuple(self.meaning)


def called(
    names: Sequence[str],
    sets: LabelSets,
    given: Sequence[str],
    scheme: SchemeSettings,
    *,
    seed: int,
) -> Called:
    """The classes of images under a scheme, and the images that keep their label.

    Args:
        names: Of the images.
        sets: Their labels.
        given: Their splits, as the source gives them.
        scheme: Which classes there are.
        seed: Draws a balanced sample.
    """
    meaning = scheme.meaning
    place = {name: label for label, name in enumerate(meaning)}
    class_of = {tag: place[name] for name, members in scheme.classes.items() for tag in members}
    others = -1 if scheme.otherwise is None else place[scheme.otherwise]
    labels = np.full(len(names), -1, dtype=np.int64)
    several: list[str] = []
    for position, (own, split) in enumerate(zip(sets, given, strict=True)):
        if own is None or split == "unlabeled":
            continue
        found = {class_of[tag] for tag in own if tag in class_of}
        if len(found) > 1:
            among = " and ".join(sorted(tuple(meaning)[label] for label in found))
            several.append(f"{names[position]}: {among}")
        else:
            labels[position] = found.pop() if found else others
    if scheme.sample == "balanced":
        labels = _balanced(labels, given, tuple(meaning), seed=seed)
    unused = labels < 0
    return Called(
        meaning,
        labels,
        tuple(
            _without_label(split) if bare else split
            for split, bare in zip(given, unused.tolist(), strict=True)
        ),
        (
            *_absent(scheme.classes, (tag for own in sets for tag in own or ())),
            *_several(tuple(several), scheme.several),
            *_left_out(names, given, unused),
        ),
    )


def of_no_class(given: Sequence[str]) -> Called:
    """What images of several labels are without a scheme: all of no class."""
    labels = np.full(len(given), -1, dtype=np.int64)
    return Called({}, labels, tuple(map(_without_label, given)), ())


def _without_label(split: str) -> str:
    return LEFT_OUT if split in ("test", LEFT_OUT) else "unlabeled"


def _balanced(
    labels: Indices, given: Sequence[str], classes: Sequence[str], *, seed: int
) -> Indices:
    """The labels of equally many images of each class, in each given split for itself."""
    parts = np.array([split if split in FOR_JUDGING else "train" for split in given])
    kept = np.full_like(labels, -1)
    for part in ("train", *FOR_JUDGING):
        own = [np.flatnonzero((labels == label) & (parts == part)) for label in range(len(classes))]
        least = min((len(members) for members in own if len(members) or part == "train"), default=0)
        for members, name in zip(own, classes, strict=True):
            drawn = shuffled(members, seed=seed, purpose=f"scheme/{part}/{name}")[:least]
            kept[drawn] = labels[drawn]
    return kept


def _absent(classes: Meaning, seen: Iterable[str]) -> list[Finding]:
    """Labels that no image has: misspelt, or not among these images."""
    there = sorted(set(seen))
    findings = []
    for name, members in classes.items():
        absent = [member for member in members if member not in there]
        if not absent:
            continue
        guess = next((one for member in absent if (one := closest(member, there))), None)
        hint = f" Did you mean {guess!r}?" if guess else ""
        known = f"The labels that there are: {quoted(there) or 'none'}."
        if len(absent) == len(members):
            sentence = (
                f"no image has a label of the class {name!r}, which are {quoted(members)}.{hint} "
                f"{known}"
            )
            findings.append(Finding("absent class", "error", sentence, (name,), 1))
        else:
            sentence = f"no image has the label {quoted(absent)} of the class {name!r}.{hint}"
            findings.append(
                Finding("absent label", "warning", sentence, tuple(absent), len(absent))
            )
    return findings


def _several(members: tuple[str, ...], then: str) -> list[Finding]:
    if then == "unlabeled":
        end = " to several classes of the scheme, and unlabeled for it:"
        return of_members(
            "several classes",
            "note",
            members,
            one="image belongs",
            many="images belong",
            then=end,
        )
    return of_members(
        "several classes",
        "error",
        members,
        one="image belongs",
        many="images belong",
        then=" to several classes of the scheme, and can be of one alone; with "
        "`several=unlabeled` such images are unlabeled:",
    )


def _left_out(
    names: Sequence[str], given: Sequence[str], unused: NDArray[np.bool_]
) -> list[Finding]:
    """Given test images that the scheme has no use for."""
    out = tuple(
        name
        for name, split, bare in zip(names, given, unused.tolist(), strict=True)
        if bare and split == "test"
    )
    return of_members(
        "not of the scheme",
        "note",
        out,
        one="image of the given test split is",
        many="images of the given test split are",
        then=" not of the scheme or not drawn for it; nobody tests with them or learns from them:",
    )
