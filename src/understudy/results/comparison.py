"""The main table: every name with its figures over seeds, and what the student gained."""

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TypeVar

from understudy.results.probes import PREFIX, parsed
from understudy.results.records import StudyRecord
from understudy.results.rows import Row, rows_of
from understudy.results.tables import Cell, Difference, paired, summarize

CHECKPOINTS = ("last", "best")  # last first: nothing was chosen to get it
BASELINES = ("train", "pretrain")
"""Stages of a model that learned by itself, with labels or without."""
ENSEMBLE = "ensemble"
PEER = "fixmatch"
"""The stage of the other road from few labels: students are held to it, it to baselines alone."""
FINE_TUNED = "finetune"
"""The stage of a model that is held to the study's reference, if to nothing else."""
JUDGED = ("test_top1", "test_macro_f1", "test_f1", "val_top1")
"""Metrics whose differences are shown."""


Thing = TypeVar("Thing", bound=Hashable)


@dataclass(frozen=True)
class Line:
    """One configuration at one checkpoint, over its seeds."""

    study: str
    axes: dict[str, str]
    name: str
    stage: str
    checkpoint: str
    rows: tuple[Row, ...]

    def cell(self, metric: str) -> Cell | None:
        """Mean and spread of a metric."""
        return summarize(self.rows, metric)

    @property
    def configuration(self) -> str:
        """What all its rows share."""
        return self.rows[0].configuration

    @property
    def is_student(self) -> bool:
        """Whether it, or what it went on from, learned from other networks."""
        return self.rows[0].is_student

    @property
    def is_held(self) -> bool:
        """Whether it is held to what it learned from or is made of, and to its baselines."""
        return self.is_student or self.stage == ENSEMBLE


@dataclass(frozen=True)
class Contrast:
    """The gain of one name over another, paired by seed."""

    study: str
    axes: dict[str, str]
    """Of the one whose gain is asked for, and what `against` has besides; against a member of an
    ensemble, the member's."""
    checkpoint: str
    role: str
    """What `against` is to `of`: baseline, teacher, member of an ensemble, or the study's
    reference."""
    of: Line
    against: Line
    differences: dict[str, Difference]
    """By metric; a metric that no pair has is absent."""

    @property
    def other(self) -> str:
        """What `against` is called: by its name, or by the axes that alone tell it from `of`."""
        if self.against.name != self.of.name:
            return self.against.name
        axes = self.against.axes.items()
        return ", ".join(value for axis, value in axes if self.of.axes.get(axis) != value)

    @property
    def title(self) -> str:
        """`student − baseline`."""
        return f"{self.of.name} − {self.other}"


@dataclass(frozen=True)
class Comparison:
    """What a study's rows say side by side."""

    rows: tuple[Row, ...]
    lines: tuple[Line, ...]
    """Models with any accuracy, in study order, `last` before `best`."""
    contrasts: tuple[Contrast, ...]
    frozen: tuple[Line, ...] = ()
    """Models whose frozen features were probed on test images, at their last checkpoint."""
    frozen_contrasts: tuple[Contrast, ...] = ()
    """The gains among them, in the figures of the probes."""

    def at(self, checkpoint: str) -> tuple[Line, ...]:
        """The lines of one checkpoint."""
        return tuple(line for line in self.lines if line.checkpoint == checkpoint)


def comparison(record: StudyRecord) -> Comparison:
    """Builds the main table of a study.

    Runs that share study, name, axes and configuration make one line. Each distilled model is
    contrasted with its baseline (trained without a teacher under the same axes; on labels from the
    same start, where it has one), its teacher, and what the study takes for the reference among the
    values of an axis; each ensemble with its members. Probes of frozen features are compared
    likewise, among themselves; there a pretraining without a teacher is a baseline too.
    """
    rows = rows_of(record)
    lines = lines_of([row for row in rows if row.val_top1 is not None or row.test_top1 is not None])
    judged = [line for line in lines if line.is_held or line.stage == FINE_TUNED]
    frozen = lines_of([row for row in rows if row.probes])
    probes = list(dict.fromkeys(f"{PREFIX}{name}" for row in rows for name in row.probes))
    return Comparison(
        rows=tuple(rows),
        lines=tuple(lines),
        contrasts=tuple(contrasts_of(lines, judged, record.reference, judged=JUDGED)),
        frozen=tuple(frozen),
        frozen_contrasts=tuple(
            contrasts_of(
                frozen, frozen, record.reference, judged=[one for one in probes if parsed(one)]
            )
        ),
    )


def contrasts_of(
    lines: Sequence[Line],
    students: Sequence[Line],
    reference: Mapping[str, Mapping[str, str]],
    *,
    judged: Sequence[str],
) -> list[Contrast]:
    """The gain of each student over those that it is held to.

    Args:
        lines: All models, in study order.
        students: Those whose gain is asked for; what learned from no other network is held to the
            study's reference alone.
        reference: By study and axis, the value that others are compared with.
        judged: The metrics to compare in.
    """
    possible = _Opponents(lines)
    return [
        contrast
        for student in students
        for role, other in [
            *(_opponents(student, possible.of(student)) if student.is_held else ()),
            *_references(student, students, reference.get(student.study, {})),
            *_ensembles_of_teachers(student, lines),
        ]
        if (contrast := _contrast(student, other, role, judged)).differences
    ]


def lines_of(rows: Sequence[Row]) -> list[Line]:
    """The rows of one configuration at one checkpoint together, in study order."""
    groups: dict[tuple[object, ...], dict[tuple[str, int | None], Row]] = {}
    for row in rows:
        place = (row.study, *row.axes.items()), row.name, row.configuration, row.checkpoint
        groups.setdefault(place, {})[row.run, row.seed] = row
    lines = [
        Line(
            study=first.study,
            axes=first.axes,
            name=first.name,
            stage=first.stage,
            checkpoint=first.checkpoint,
            rows=tuple(group.values()),
        )
        for group in groups.values()
        for first in [next(iter(group.values()))]
    ]
    contexts = _ranks((line.study, *line.axes.items()) for line in lines)
    names = _ranks(line.name for line in lines)
    families = _families(lines)
    return sorted(
        lines,
        key=lambda line: (
            families[line.study, tuple(line.axes)],
            contexts[line.study, *line.axes.items()],
            names[line.name],
            CHECKPOINTS.index(line.checkpoint),
        ),
    )


def _families(lines: Sequence[Line]) -> dict[tuple[str, tuple[str, ...]], int]:
    """By study and axes, the rank of all that is varied along any axis in common.

    Parts of a study that share no axis, such as a transfer beside a distillation, stand apart.
    """
    ranks = _ranks((line.study, tuple(line.axes)) for line in lines)
    joined: list[set[tuple[str, tuple[str, ...]]]] = []
    for study, axes in ranks:
        near = [
            family
            for family in joined
            if any(study == other and not {*axes}.isdisjoint(theirs) for other, theirs in family)
        ]
        joined = [family for family in joined if family not in near]
        joined.append({(study, axes)}.union(*near))
    return {one: min(ranks[each] for each in family) for family in joined for one in family}


def _ranks(things: Iterable[Thing]) -> dict[Thing, int]:
    return {thing: rank for rank, thing in enumerate(dict.fromkeys(things))}


class _Opponents:
    """Finds the few lines that may be a student's baseline or teacher, among thousands."""

    def __init__(self, lines: Sequence[Line]) -> None:
        self.lines = lines
        self.places: dict[Hashable, list[int]] = {}
        for place, line in enumerate(lines):
            keys: list[Hashable] = [row.identity for row in line.rows]
            met_under = _subsets(line.axes) if line.stage == PEER else [line.axes.items()]
            for key in [*keys, *(key for axes in met_under for key in _settings(line, axes))]:
                self.places.setdefault(key, []).append(place)

    def of(self, student: Line) -> list[Line]:
        """Its teachers, and the models like it under any of its axes; in study order."""
        keys = [
            *(origin for row in student.rows for origin in row.origins),
            *(key for some in _subsets(student.axes) for key in _settings(student, some)),
        ]
        found = {place for key in keys for place in self.places.get(key, ())}
        return [self.lines[place] for place in sorted(found)]


def _subsets(axes: Mapping[str, str]) -> Iterator[tuple[tuple[str, str], ...]]:
    return (some for size in range(len(axes) + 1) for some in combinations(axes.items(), size))


def _settings(line: Line, axes: Iterable[tuple[str, str]]) -> list[Hashable]:
    """What models share that are alike: by their parameters, or by those of their backbones."""
    first, shared = line.rows[0], frozenset(axes)
    found: list[Hashable] = [(line.study, first.data, "all", first.parameters, shared)]
    if first.backbone is not None:
        found.append((line.study, first.data, "backbone", first.backbone, shared))
    return found


def _opponents(student: Line, lines: Sequence[Line]) -> list[tuple[str, Line]]:
    """The student's baselines and teachers, each under the axes that it shares with it.

    At the student's checkpoint; one that kept only its other checkpoint, as early stopping may
    leave a teacher, is met at that. Of an ensemble's members each setting of the axes is met, and
    of another road from as few labels, which has axes of its own.
    """
    met: dict[Hashable, list[tuple[str, Line]]] = {}
    for line in lines:
        if line.name != student.name and line.study == student.study:
            role = _role(line, student)
            has_many = role == "member" or (role and line.stage == PEER)
            setting = tuple(line.axes.items()) if has_many else ()
            met.setdefault((line.name, setting), []).extend([(role, line)] if role else [])
    found = [
        max(some, key=lambda pair: _nearness(pair[1], student)) for some in met.values() if some
    ]
    once = {_runs_of(line): (role, line) for role, line in sorted(found, key=_many_axes)}
    return sorted(once.values(), key=lambda pair: pair[0])


def _runs_of(line: Line) -> Hashable:
    """A study may ask for the same runs under two names."""
    return frozenset(row.identity for row in line.rows)


def _many_axes(pair: tuple[str, Line]) -> int:
    """Of equal runs the last one stays: the name that needs the fewest axes."""
    return -len(pair[1].axes)


def _ensembles_of_teachers(student: Line, lines: Sequence[Line]) -> Iterator[tuple[str, Line]]:
    """Of an ensemble, the ensembles of those that taught its members."""
    if student.stage != ENSEMBLE:
        return
    origins = {row.identity: row.origins for line in lines for row in line.rows}
    members = {member for row in student.rows for member in row.origins}
    teachers = {teacher for member in members for teacher in origins.get(member, {})}
    for other in lines:
        held = {member for row in other.rows for member in row.origins}
        if other.stage == ENSEMBLE and other.study == student.study and held <= teachers:
            yield "teacher", other


def _references(
    student: Line, students: Sequence[Line], reference: Mapping[str, str]
) -> Iterator[tuple[str, Line]]:
    """The same model at the value of each axis that others are compared with."""
    for axis, value in reference.items():
        wanted = {**student.axes, axis: value}
        if axis not in student.axes or wanted == student.axes:
            continue
        for other in students:
            same = (other.study, other.name, other.checkpoint, other.axes)
            if same == (student.study, student.name, student.checkpoint, wanted):
                yield "reference", other


def _role(other: Line, student: Line) -> str:
    """What `other` is: what the student learned from or is made of, its baseline, or nothing."""
    if any(row.identity in learner.origins for row in other.rows for learner in student.rows):
        return "member" if student.stage == ENSEMBLE else "teacher"
    one, two = other.rows[0], student.rows[0]
    is_alike = one.parameters == two.parameters or (
        one.backbone is not None and one.backbone == two.backbone
    )
    is_under = other.axes.items() <= student.axes.items() or (
        other.stage == PEER
        and all(student.axes.get(axis, value) == value for axis, value in other.axes.items())
    )
    same = one.data == two.data and is_alike and is_under
    by_labels = other.stage == FINE_TUNED and one.start == two.start != ""
    by_itself = other.stage in BASELINES or (other.stage == PEER != student.stage)
    return "baseline" if same and (by_itself or by_labels) else ""


def _nearness(other: Line, student: Line) -> tuple[bool, int, bool, bool, bool]:
    """Prefers a teacher or member, then shared axes, checkpoint, equal labels, equal steps."""
    return (
        _role(other, student) != "baseline",
        len(other.axes),
        other.checkpoint == _met_at(other, student),
        other.rows[0].labels == student.rows[0].labels,
        other.rows[0].steps == student.rows[0].steps,
    )


def _met_at(other: Line, student: Line) -> str:
    """The checkpoint to compare with: the student's own, or of a member the one that it holds."""
    if _role(other, student) != "member":
        return student.checkpoint
    held = (mine.origins.get(row.identity) for mine in student.rows for row in other.rows)
    return next((slot for slot in held if slot), student.checkpoint)


def _contrast(student: Line, other: Line, role: str, judged: Sequence[str]) -> Contrast:
    found = {metric: paired(student.rows, other.rows, metric) for metric in judged}
    return Contrast(
        study=student.study,
        axes=other.axes if role == "member" else student.axes | (other.axes | student.axes),
        checkpoint=student.checkpoint,
        role=role,
        of=student,
        against=other,
        differences={name: value for name, value in found.items() if value is not None},
    )
