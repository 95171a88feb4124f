"""Rows that others published, as a sheet: what their columns are, and which row taught which."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import NamedTuple

from understudy.results.browser.columns import Kind, is_absent, kind_of, number, spelled
from understudy.results.browser.counts import disagreements
from understudy.results.browser.measures import measures_of
from understudy.results.browser.observed import questions
from understudy.results.browser.sheet import (
    BASELINE,
    ROLE,
    STUDENT,
    TEACHER,
    Axis,
    Run,
    Sheet,
    axes_of,
    optimizers,
    role_of,
)
from understudy.results.browser.tables_of_others import Table
from understudy.results.errors import ReportError
from understudy.results.formats import exact, listed, plural

MOST_ROWS = 5_000  # a page with 1,260 opens in 2.5 s of computing, and grows with them
DIGITS = re.compile(r"([0-9]+)")
COUNTS = ("tn", "fp", "fn", "tp")
OWN = frozenset({"stage", "name", "checkpoint", "run", "parents"})
"""Columns by which rows.csv of this program is known, whose stages and parents say who taught."""
NEITHER = frozenset({"run", "parents", "version", "precision"})
"""Those of its columns that are neither axes nor figures."""
SAVED = frozenset({"row", "teacher", "baseline"})
"""Columns of names by which rows that the page itself saved are known."""
UNTAUGHT = (
    "Nothing says which rows share a teacher, so each counts as one observation; where one taught "
    "several, intervals come out too narrow. `--rows teacher=FILE` names the teachers' rows."
)
ALONE = ", and each counts as one observation, though some may share one"


class Taken(NamedTuple):
    """What the rows of a file are taken for."""

    role: str
    """"" where nothing tells it."""
    why: str = ""
    """Where the user did not say it."""


def sheet_of(tables: Sequence[Table]) -> Sheet:
    """All rows of all files together.

    A file is of teachers where its rows lack an axis that those of another have, where no two of
    them agree in all axes, and where most rows of the other find theirs among them.

    Raises:
        ReportError: No column holds figures, or there are more rows than a page can show.
    """
    count = sum(len(table.rows) for table in tables)
    if count > MOST_ROWS:
        raise ReportError(
            f"{exact(count)} rows are more than the {exact(MOST_ROWS)} that a page can show; leave "
            "out some, or give a file of means."
        )
    kinds = _kinds(tables)
    if "figure" not in kinds.values():
        raise ReportError(
            f"{listed([str(table.path) for table in tables])}: no column holds figures that "
            f"differ from row to row. Found: {listed(list(kinds))}."
        )
    by_table = [list(_runs(table, kinds)) for table in tables]
    taken = _taken(tables, by_table)
    several = len(tables) > 1
    runs = [
        replace(run, axes={**_first(run, table, one.role, several=several), **run.axes})
        for table, one, own in zip(tables, taken, by_table, strict=True)
        for run in own
    ]
    joined, notes = _joined(_of_parents(runs))
    found = axes_of(joined, {ROLE: (STUDENT,), "checkpoint": ("last",)})
    said = (ROLE, "file")  # in the order in which they were given
    axes = tuple(one if one.numbers or one.name in said else _sorted(one) for one in found)
    sheet = Sheet(
        runs=tuple(joined),
        axes=axes,
        measures=measures_of(joined),
        opposites=tuple(optimizers(axes)),
    )
    is_untaught = all(run.teacher is None for run in joined) and questions(sheet)
    alone = [UNTAUGHT] if is_untaught else []
    return replace(sheet, notes=(*_told(tables, taken), *notes, *alone, *disagreements(joined)))


def _first(run: Run, table: Table, role: str, *, several: bool) -> dict[str, str]:
    """What is told of a row before its own axes: its role, or else its file."""
    if set(table.head) >= OWN:
        return {ROLE: role or role_of(run.axes.get("stage", ""))}
    return {ROLE: role} if role else {"file": table.path.stem} if several else {}


def _of_parents(runs: Sequence[Run]) -> list[Run]:
    """Rows of this program's own with their teachers, which they name."""
    places = {
        (run.settings.get("run"), run.axes.get("checkpoint")): place
        for place, run in enumerate(runs)
        if run.axes.get(ROLE) == TEACHER
    }
    found = []
    for run in runs:
        parents = run.settings.get("parents", "").split()
        slots = (run.axes.get("checkpoint"), "last", "best")
        keys = [(parent, slot) for parent in parents for slot in slots]
        teachers = [places[key] for key in keys if key in places]
        is_taught = run.axes.get(ROLE) == STUDENT and teachers
        found.append(replace(run, teacher=teachers[0]) if is_taught else run)
    return found


def _sorted(axis: Axis) -> Axis:
    """The axis with its words in natural order: files have their rows in any."""
    return axis._replace(values=tuple(sorted(axis.values, key=_natural)))


def _natural(value: str) -> list[tuple[int, str]]:
    """Sorts `ResNet50` before `ResNet101`."""
    parts = DIGITS.split(value.casefold())
    return [(int(part), "") if at % 2 else (0, part) for at, part in enumerate(parts)]


def _kinds(tables: Sequence[Table]) -> dict[str, Kind]:
    names = dict.fromkeys(chain.from_iterable(table.head for table in tables))
    found: dict[str, Kind] = {}
    is_own, is_saved = set(names) >= OWN, set(names) >= SAVED
    for name in names:
        if is_saved and name in SAVED:
            found[name] = "label"
            continue
        if is_own and name in OWN | NEITHER:
            found[name] = "label" if name in NEITHER else "axis"
            continue
        cells = [
            row[table.head.index(name)]
            for table in tables
            if name in table.head
            for row in table.rows
        ]
        found[name] = kind_of(name, cells)
    return found


def _runs(table: Table, kinds: Mapping[str, Kind]) -> Iterator[Run]:
    columns = [(place, name, kinds[name]) for place, name in enumerate(table.head)]
    for line, row in enumerate(table.rows, 1):
        told = [(name, kind, row[place]) for place, name, kind in columns]
        told = [(name, kind, cell.strip()) for name, kind, cell in told if not is_absent(cell)]
        figures = {name: number(cell) for name, kind, cell in told if kind == "figure"}
        known = {name: value for name, value in figures.items() if value is not None}
        yield Run(
            name=f"{table.path.stem}:{line}",
            axes={
                name.removeprefix("axis."): spelled(cell)
                for name, kind, cell in told
                if kind == "axis"
            },
            figures=known,
            settings={
                "file": table.path.name,
                **{name: cell for name, kind, cell in told if kind == "label"},
            },
            confusion=_confusion(known),
        )


def _confusion(figures: Mapping[str, float]) -> tuple[tuple[str, ...], list[list[float]]] | None:
    """Of two classes, where a row counts their four cases."""
    lower = {name.lower(): value for name, value in figures.items()}
    if not all(name in lower for name in COUNTS):
        return None
    tn, fp, fn, tp = (lower[name] for name in COUNTS)
    return ("negative", "positive"), [[tn, fp], [fn, tp]]


def _taken(tables: Sequence[Table], by_table: Sequence[Sequence[Run]]) -> list[Taken]:
    """What each file's rows are: as the user says, else as follows from that or from columns."""
    said = [table.role for table in tables]
    if any(set(table.head) >= OWN for table in tables):
        return [Taken(role) for role in said]
    open_ = [place for place, role in enumerate(said) if not role]
    if STUDENT in said or TEACHER in said:
        rest = Taken(TEACHER if STUDENT in said else STUDENT, "as nothing else is said")
        found = dict.fromkeys(open_, rest)
    else:
        found = _as_columns_tell([(place, by_table[place]) for place in open_])
        if not found and any(said):
            found = dict.fromkeys(open_, Taken(STUDENT, "as nothing else is said"))
    return [Taken(role) if role else found.get(at, Taken("")) for at, role in enumerate(said)]


def _as_columns_tell(files: Sequence[tuple[int, Sequence[Run]]]) -> dict[int, Taken]:
    """The one file whose rows all others taught; none where columns do not tell."""
    for place, students in files:
        others = [(at, runs) for at, runs in files if at != place]
        if others and all(_taught(students, runs) for _, runs in others):
            return {
                at: Taken(STUDENT if at == place else TEACHER, "as their columns tell")
                for at, _ in files
            }
    return {}


def _taught(students: Sequence[Run], teachers: Sequence[Run]) -> bool:
    own, theirs = (
        dict.fromkeys(a for run in some for a in run.axes) for some in (students, teachers)
    )
    if not theirs or not set(theirs) < set(own):
        return False
    index = _by_axes(teachers, list(theirs))
    found = sum(_key(run, list(theirs)) in index for run in students)
    return all(len(places) == 1 for places in index.values()) and 2 * found > len(students)


def _key(run: Run, axes: Sequence[str]) -> tuple[str | None, ...]:
    return tuple(run.axes.get(axis) for axis in axes)


def _by_axes(runs: Sequence[Run], axes: Sequence[str]) -> dict[tuple[str | None, ...], list[int]]:
    found: dict[tuple[str | None, ...], list[int]] = {}
    for place, run in enumerate(runs):
        found.setdefault(_key(run, axes), []).append(place)
    return found


def _joined(runs: Sequence[Run]) -> tuple[list[Run], list[str]]:
    """Students with the places of their teachers and baselines, and what could not be joined."""
    notes: list[str] = []
    found = list(runs)
    students = [place for place, run in enumerate(runs) if run.axes.get(ROLE) == STUDENT]
    for role in (TEACHER, BASELINE):
        others = [place for place, run in enumerate(runs) if run.axes.get(ROLE) == role]
        if not others or not students:
            continue
        shared = _shared([runs[place] for place in students], [runs[place] for place in others])
        index = _by_axes([runs[place] for place in others], shared)
        without_one = [place for place in students if getattr(runs[place], role) is None]
        matches = {place: index.get(_key(runs[place], shared), []) for place in without_one}
        for place, places in matches.items():
            if len(places) == 1:
                found[place] = _held(found[place], role, others[places[0]])
        without = sum(not places for places in matches.values())
        several = sum(len(places) > 1 for places in matches.values())
        if without or several:
            parts = [(without, f"no {role}"), (several, f"several {role}s")]
            told = listed([f"{exact(count)} have {what}" for count, what in parts if count])
            notes.append(
                f"Of {plural(len(students), 'student')} {told} that "
                f"{'agree' if several else 'agrees'} in "
                f"{listed(shared) if shared else 'nothing, for no column is shared'}; they are "
                f"held against no {role}{ALONE if role == TEACHER else ''}."
                f"{_otherwise_named(runs, students, others, role)}"
            )
    return found, notes


def _otherwise_named(
    runs: Sequence[Run], students: Sequence[int], others: Sequence[int], role: str
) -> str:
    """A hint where either side has columns that the other lacks: some may mean the same."""
    own, theirs = (
        dict.fromkeys(axis for place in places for axis in runs[place].axes)
        for places in (students, others)
    )
    here, there = [a for a in own if a not in theirs], [a for a in theirs if a not in own]
    if not here or not there:
        return ""
    return (
        f" Only students have {listed(here)}, only {role}s {listed(there)}: columns that mean the "
        "same need one name."
    )


def _held(run: Run, role: str, against: int) -> Run:
    """The row, held against another in that role."""
    if role == TEACHER:
        return replace(run, teacher=against)
    return replace(run, baseline=against)


def _shared(students: Sequence[Run], others: Sequence[Run]) -> list[str]:
    theirs = {axis for run in others for axis in run.axes}
    own = dict.fromkeys(axis for run in students for axis in run.axes)
    return [axis for axis in own if axis in theirs and axis not in (ROLE, "stage", "name")]


def _told(tables: Sequence[Table], taken: Sequence[Taken]) -> Iterator[str]:
    """How each file was taken."""
    for table, (role, why) in zip(tables, taken, strict=True):
        told = [plural(len(table.rows), "row"), *([f"taken as {role}s"] if role else []), why]
        yield f"{table.path.name}: {', '.join(filter(None, told))}."
