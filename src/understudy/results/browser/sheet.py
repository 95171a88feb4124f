"""What the browser shows: rows with values of axes and with figures, wherever they came from."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from understudy.results.probes import LINEAR
from understudy.results.rows import STUDENTS

STUDENT, TEACHER, BASELINE = "student", "teacher", "baseline"
ROLE = "role"
"""The axis that says what a row is to the others, where rows differ in that."""
PREFERRED = ("test_top1", "f1", "test_macro_f1", "accuracy", "val_top1", "auc", LINEAR)
"""What is shown first, of the figures that there are."""
WORDS_OF_FRACTION = ("percent", "fraction", "share", "labels", "per_class")

MOST_VALUES = 60
"""Of an axis; beyond, they are searched for in the table."""


class Axis(NamedTuple):
    """Something that rows were varied in."""

    name: str
    values: tuple[str, ...]
    """In their order: numbers by size, other values as they came."""
    chosen: tuple[str, ...] = ()
    """To which the reader is shown the rows at first; none is all."""

    @property
    def numbers(self) -> list[float] | None:
        """The values as numbers, where all are."""
        try:
            return [float(value) for value in self.values]
        except ValueError:
            return None

    @property
    def can_split(self) -> bool:
        """Whether its values are few enough to be ticked and told one by one."""
        return len(self.values) <= MOST_VALUES


class Measure(NamedTuple):
    """A figure that rows have."""

    name: str
    title: str
    scale: float
    """A value times this is what is written."""
    digits: int
    unit: str
    """Behind a level; "" for none."""
    of_differences: str
    """Behind a difference: points, for shares."""


@dataclass(frozen=True)
class Run:
    """One row: a trained model at one checkpoint, or what a file says of one."""

    name: str
    """Tells it from the others, here and in a link."""
    axes: Mapping[str, str]
    figures: Mapping[str, float]
    teacher: int | None = None
    """Place of the row of what it learned from."""
    baseline: int | None = None
    """Place of the row of what learned from labels alone, else like it."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """What else is known of it."""
    curves: Mapping[str, Sequence[tuple[float, float]]] = field(default_factory=dict)
    confusion: tuple[tuple[str, ...], list[list[float]]] | None = None
    """Classes, and counts: a row of each label, a column of each answer."""
    place: str = ""
    """Its folder, from that of the page; "" where there is none to go to."""


class Opposite(NamedTuple):
    """Two values of an axis whose rows are to be held against each other."""

    axis: str
    of: str
    against: str


@dataclass(frozen=True)
class Sheet:
    """All rows, the axes they were varied in, and the figures they have."""

    runs: tuple[Run, ...]
    axes: tuple[Axis, ...]
    measures: tuple[Measure, ...]
    opposites: tuple[Opposite, ...] = ()
    notes: tuple[str, ...] = ()
    """What a reader must know of how these rows were read."""

    def axis(self, name: str) -> Axis | None:
        """The axis of that name."""
        return next((axis for axis in self.axes if axis.name == name), None)

    @property
    def measure(self) -> Measure:
        """What is shown first."""
        known = {one.name: one for one in self.measures}
        return next((known[name] for name in PREFERRED if name in known), self.measures[0])

    @property
    def along(self) -> str | None:
        """The axis that plots run along: the one of labels, else the longest of numbers."""
        numeric = [axis for axis in self.axes if axis.numbers and axis.name != "seed"]
        for axis in numeric:
            if any(word in axis.name.lower() for word in WORDS_OF_FRACTION):
                return axis.name
        longest = max(numeric, key=lambda axis: len(axis.values), default=None)
        others = [axis.name for axis in self.axes if axis.name not in (ROLE, "checkpoint", "seed")]
        return longest.name if longest else next(iter(others), None)

    def chosen(self) -> list[int]:
        """Places of the rows that the reader is shown at first."""
        return [place for place, run in enumerate(self.runs) if self._is_chosen(run)]

    def _is_chosen(self, run: Run) -> bool:
        return all(
            not axis.chosen or run.axes.get(axis.name, axis.chosen[0]) in axis.chosen
            for axis in self.axes
        )


def ordered(values: Iterable[str]) -> tuple[str, ...]:
    """Each value once: numbers by their size, words as they came."""
    once = list(dict.fromkeys(values))
    try:
        return tuple(sorted(once, key=float))
    except ValueError:
        return tuple(once)


def axes_of(runs: Sequence[Run], chosen: Mapping[str, tuple[str, ...]]) -> tuple[Axis, ...]:
    """The axes in which rows differ, in the order in which rows name them."""
    values: dict[str, dict[str, None]] = {}
    for run in runs:
        for axis, value in run.axes.items():
            values.setdefault(axis, {})[value] = None
    return tuple(
        Axis(name, ordered(found), tuple(one for one in chosen.get(name, ()) if one in found))
        for name, found in values.items()
        if len(found) > 1 or any(name not in run.axes for run in runs)
    )


def role_of(stage: str) -> str:
    """What the models of a stage are to others."""
    if stage in STUDENTS:
        return STUDENT
    named = {"train": BASELINE, "finetune": TEACHER, "ensemble": TEACHER}
    return named.get(stage, stage)


LEAST_ROWS = 8  # fewer stand in the other tables at a glance


def worth_browsing(sheet: Sheet | None) -> Sheet | None:
    """The sheet where its rows differ in more than name and seed, and are too many for a glance."""
    if sheet is None or len(sheet.chosen()) < LEAST_ROWS:
        return None
    varied = {axis.name for axis in sheet.axes} - {ROLE, "model", "checkpoint", "seed"}
    return sheet if varied else None


OPTIMIZERS = ("adamw", "adam", "sgd", "lars", "lamb", "rmsprop", "lion")


def optimizers(axes: Iterable[Axis]) -> list[Opposite]:
    """Values that differ in the name of an optimizer alone, as `far-adam` and `far-sgd`."""
    found = []
    for axis in axes:
        split = {value: _without_optimizer(value) for value in axis.values}
        known = [(value, *parts) for value, parts in split.items() if parts]
        found += [
            Opposite(axis.name, one, other)
            for place, (one, rest, kind) in enumerate(known)
            for other, others_rest, others_kind in known[place + 1 :]
            if rest == others_rest and kind != others_kind
        ]
    return found


def _without_optimizer(value: str) -> tuple[str, str] | None:
    """What is left of a value, and the optimizer that it names."""
    lower = value.lower()
    kind = next((one for one in OPTIMIZERS if one in lower), None)
    return (lower.replace(kind, "", 1), kind) if kind else None


def packed(value: float, *, digits: int = 5) -> float:
    """A number short enough for a page: some significant digits."""
    return float(f"{value:.{digits}g}")
