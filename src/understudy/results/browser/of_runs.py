"""Finished runs as a sheet: every trained model at each of its checkpoints."""

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

from understudy.results.binary import METRICS as OF_TWO
from understudy.results.browser.measures import measures_of
from understudy.results.browser.sheet import (
    BASELINE,
    ROLE,
    STUDENT,
    TEACHER,
    Opposite,
    Run,
    Sheet,
    axes_of,
    optimizers,
    role_of,
)
from understudy.results.browser.written_settings import flat
from understudy.results.classes import matrix_of
from understudy.results.comparison import Comparison
from understudy.results.evaluations import Evaluation, evaluations_by_model
from understudy.results.formats import exact
from understudy.results.history import thinned
from understudy.results.leaks import caution, sign
from understudy.results.probes import PREFIX
from understudy.results.records import Entry, StudyRecord
from understudy.results.rows import Row
from understudy.results.tables import METRICS, paired_rows, value_of

CURVES = (
    ("validation accuracy", "validation", "top1"),
    ("training loss", "train", "loss"),
    ("validation NLL", "validation", "nll"),
)
MOST_POINTS = 40_000  # of all curves: about 600 kB
LEAST, MOST = 8, 60  # points of one curve
MOST_CELLS = 150_000  # of all confusions: about 400 kB
FINE_TUNED = "fine-tuned"
FEWEST_STUDENTS = 0.1
"""Of the rows; where students are fewer, they are not what a reader is shown at first."""
MOST_ROWS = 1_500  # about 1 kB of the page each; `rows.csv` holds all of them


def sheet_of(record: StudyRecord, found: Comparison, *, beside: Path) -> Sheet | None:
    """The rows of a study, or of a folder of runs; None where nothing was measured.

    Args:
        record: The study.
        found: Its rows and which are held against which.
        beside: The folder of the page, from which runs are linked.
    """
    rows = [row for row in found.rows if any(_figures(row))]
    notes = []
    if len(rows) > MOST_ROWS:
        kept = [row for row in rows if row.checkpoint == "last"][:MOST_ROWS]
        notes.append(
            f"{exact(len(kept))} of {exact(len(rows))} rows can be looked through here, of last "
            "checkpoints alone; rows.csv holds all. The report of a part of the runs shows more."
        )
        rows = kept
    if not rows:
        return None
    entries = {entry.run.id: entry for entry in record.entries if entry.run.is_training}
    teachers, baselines = _places(rows, found, TEACHER), _places(rows, found, BASELINE)
    evaluations = evaluations_by_model(record)
    fits = _fits(rows, evaluations)
    if not fits:
        notes.append("Confusions of so many classes are left out here; predictions hold them.")
    curves = _curves([entry for entry in entries.values() if entry.run.id in {r.run for r in rows}])
    several = len({row.study for row in rows}) > 1
    unlike = len({row.classes for row in rows if row.classes}) > 1
    teaching = _teaching(rows)
    roles = {(row.study, row.stage, row.name): _role(row, teaching) for row in rows}
    told = len({(role, name) for (_, _, name), role in roles.items()}) > len(set(roles.values()))
    runs = [
        Run(
            name=f"{row.run} {row.checkpoint}",
            axes=_axes(
                row, roles[row.study, row.stage, row.name], study=several, name=told, classes=unlike
            ),
            figures=dict(_figures(row)),
            teacher=teachers.get(place),
            baseline=baselines.get(place),
            settings=flat(entries[row.run].run.config) if row.run in entries else {},
            curves=curves.get(row.run, {}),
            confusion=_confusion(evaluations.get((row.identity, row.checkpoint))) if fits else None,
            place=_place(entries.get(row.run), beside),
        )
        for place, row in enumerate(rows)
    ]
    students = sum(run.axes[ROLE] == STUDENT for run in runs)
    first = (STUDENT,) if students >= FEWEST_STUDENTS * len(runs) else ()
    axes = axes_of(runs, {ROLE: first, "checkpoint": ("last",)})
    return Sheet(
        runs=tuple(runs),
        axes=axes,
        measures=tuple(
            one._replace(title=one.title + sign(rows, one.name)) for one in measures_of(runs)
        ),
        opposites=tuple(dict.fromkeys([*_references(record, runs), *optimizers(axes)])),
        notes=(*notes, *caution(rows)),
    )


def _teaching(rows: Sequence[Row]) -> set[tuple[str, str]]:
    """Study and name of whatever taught; of a run with two names, the one of the fewest axes.

    By names and not by runs, so that all values of an axis are of one role and can be compared.
    """
    origins = {origin for row in rows for origin in row.origins}
    taught = [row for row in rows if row.identity in origins]
    by_run = {
        (row.study, row.identity): row.name
        for row in sorted(taught, key=lambda row: -len(row.axes))
    }
    return {(study, name) for (study, _), name in by_run.items()}


def _role(row: Row, teaching: Collection[tuple[str, str]]) -> str:
    """What a model is to the others; a fine-tuned one is a teacher where its name taught any."""
    return (
        FINE_TUNED
        if row.stage == "finetune" and (row.study, row.name) not in teaching
        else role_of(row.stage)
    )


def _axes(row: Row, role: str, *, study: bool, name: bool, classes: bool) -> dict[str, str]:
    """By axis; study, name and number of classes are left out where they tell nothing."""
    return {
        ROLE: role,
        **({"study": row.study} if study and row.study else {}),
        **({"model": row.name} if name else {}),
        **row.axes,
        **({"classes": str(row.classes)} if classes and row.classes else {}),
        "checkpoint": row.checkpoint,
        **({} if row.seed is None else {"seed": str(row.seed)}),
    }


def _figures(row: Row) -> Iterator[tuple[str, float]]:
    for metric in (*METRICS, *OF_TWO, *(f"{PREFIX}{name}" for name in row.probes)):
        if (value := value_of(row, metric)) is not None:
            yield metric, float(value)


def _places(rows: Sequence[Row], found: Comparison, role: str) -> dict[int, int]:
    """Of each row the place of the one that it is held against in that role, the first of them."""
    places = {(row.study, row.run, row.checkpoint): place for place, row in enumerate(rows)}
    joined: dict[int, int] = {}
    for contrast in (*found.contrasts, *found.frozen_contrasts):
        if contrast.role != role:
            continue
        metric = next(iter(contrast.differences))
        pairs = paired_rows(contrast.of.rows, contrast.against.rows, metric).values()
        for one, other in pairs:
            own, theirs = ((row.study, row.run, row.checkpoint) for row in (one, other))
            if own in places and theirs in places:
                joined.setdefault(places[own], places[theirs])
    return joined


def _references(record: StudyRecord, runs: Sequence[Run]) -> Iterator[Opposite]:
    """Each value of an axis against the one that the study takes for the reference."""
    for axes in record.reference.values():
        for axis, against in axes.items():
            for value in dict.fromkeys(run.axes.get(axis, against) for run in runs):
                if value != against:
                    yield Opposite(axis, value, against)


def _curves(entries: Sequence[Entry]) -> dict[str, Mapping[str, list[tuple[float, float]]]]:
    found = {
        entry.run.id: {
            title: series
            for title, phase, key in CURVES
            if len(series := entry.run.history.series(phase=phase, key=key)) > 1
        }
        for entry in entries
    }
    count = sum(map(len, found.values()))
    most = min(MOST, max(LEAST, MOST_POINTS // count)) if count else MOST
    return {
        run: {title: thinned(series, most=most) for title, series in own.items()}
        for run, own in found.items()
    }


def _fits(rows: Sequence[Row], evaluations: Mapping[tuple[str, str], Evaluation]) -> bool:
    told = (evaluations.get((row.identity, row.checkpoint)) for row in rows)
    return sum(len(one.classes) ** 2 for one in told if one) <= MOST_CELLS


def _confusion(told: Evaluation | None) -> tuple[tuple[str, ...], list[list[float]]] | None:
    if told is None or not told.classes or not told.figures.get("confusion"):
        return None
    return told.classes, matrix_of([told.figures], size=len(told.classes))


def _place(entry: Entry | None, beside: Path) -> str:
    if entry is None or entry.run.status == "missing":
        return ""
    return Path(os.path.relpath(entry.run.path, beside.resolve())).as_posix() + "/"
