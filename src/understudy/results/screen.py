"""The results on a terminal: 80 columns are enough, and a pipe gets plain text."""

from collections.abc import Callable, Sequence

from rich.console import Console
from rich.text import Text

from understudy.results.comparison import Comparison, Contrast, Line, comparison
from understudy.results.findings import findings, metric_of
from understudy.results.finetuned import COLUMNS, Beside, beside_probes
from understudy.results.finetuned import TITLE as FINE_TUNED
from understudy.results.formats import (
    ABSENT,
    count,
    exact,
    hundredths,
    milliseconds,
    points,
)
from understudy.results.frozen import LABELS, average, columns, is_main, short, standings
from understudy.results.leaks import sign
from understudy.results.plain import lines_for
from understudy.results.probes import LINEAR, Probed
from understudy.results.records import StudyRecord
from understudy.results.result_tables import TITLES, axes_of
from understudy.results.strips import Strip, table_of, text_of
from understudy.results.tuned import Candidate, Tuned
from understudy.results.tuning_words import head, score

MOST_LINES = 16  # above, only the last checkpoints are shown
STYLES = {"result": "bold", "fact": "", "caution": "yellow"}


def show(
    record: StudyRecord, console: Console, *, facts: bool = True, everything: bool = False
) -> None:
    """Prints a study: the comparison, the paired differences, and the findings.

    Args:
        record: What to show.
        console: Where; its width decides which columns have room, no figure is ever cut.
        facts: Say what follows from the figures; cautions are said in any case.
        everything: Show every checkpoint of however many models, and the notes of the runs.
    """
    found = comparison(record)
    short = len(found.lines) <= MOST_LINES or everything
    lines = found.lines if short else found.at("last")
    contrasts = [one for one in found.contrasts if one.checkpoint == "last"] or [*found.contrasts]
    if len(contrasts) > MOST_LINES and not everything:  # a teacher's level stands above
        contrasts = [one for one in contrasts if one.role != "teacher"]
    console.print(text_of(record.title, console, style="bold"))
    if lines:
        console.print()
        console.print(table_of(_strips(lines), console))
        if len(lines) < len(found.lines):
            console.print(text_of("(last checkpoints; rows.csv holds all)", console, style="dim"))
    if contrasts:
        console.print()
        console.print(table_of(_gains(contrasts), console))
    if found.frozen:
        console.print()
        console.print(
            text_of("frozen features, per cent of the test images:", console, style="dim")
        )
        console.print(table_of(_frozen(found), console))
        if told := [one for one in found.frozen_contrasts if metric_of(one)]:
            console.print()
            console.print(table_of(_gains(told), console))
    if fine_tuned := beside_probes(found):
        console.print()
        console.print(text_of(f"{FINE_TUNED}, per cent:", console, style="dim"))
        console.print(table_of(_finetuned(fine_tuned), console))
    for one in record.tuned:
        console.print()
        console.print(text_of(f"tuned, {head(one)} behind each value tried:", console, style="dim"))
        console.print(table_of(_tuned(one), console))
    for finding in findings(record, found):
        if not facts and finding.kind != "caution":
            continue
        console.print()
        mark = "! " if finding.kind == "caution" else ""
        for part in lines_for(f"{mark}{finding.text}", console):
            console.print(Text(part, style=STYLES[finding.kind]), soft_wrap=True)
    if everything:
        for entry in record.entries:
            for note in entry.run.notes:
                console.print(text_of(f"{entry.run.id}: {note}", console), soft_wrap=True)


def _strips(lines: Sequence[Line]) -> list[Strip]:
    def column(head: str, metric: str, write: Callable[[float | None], str], spare: int) -> Strip:
        cells = [line.cell(metric) for line in lines]
        shown = [
            write(cell.mean) + sign(line.rows, metric) if cell else ABSENT
            for line, cell in zip(lines, cells, strict=True)
        ]
        return Strip(head, shown, True, spare)

    strips = [
        *(
            [Strip("study", [line.study or ABSENT for line in lines], False, 0)]
            if _studies(lines)
            else []
        ),
        Strip("model", [line.name for line in lines], False, 0),
        *(
            Strip(axis, [line.axes.get(axis, ABSENT) for line in lines], False, 0)
            for axis in axes_of(lines)
        ),
        Strip("kept", [line.checkpoint for line in lines], False, 0),
        column("param.", "parameters", count, 5),
        column("labels", "labels", exact, 2),
        column("steps", "steps", exact, 1),
        column("val%", "val_top1", hundredths, 7),
        Strip("test%", [_spread(line) for line in lines], True, 0),
        Strip("n", [_seeds(line) for line in lines], True, 0),
        column("F1%", _f1(lines), hundredths, 4),
        column("ECE%", "test_ece", hundredths, 3),
        column("agree%", "agreement", hundredths, 6),
        column("ms", "latency_ms", milliseconds, 5),
    ]
    return [strip for strip in strips if any(cell != ABSENT for cell in strip.cells)]


def _f1(lines: Sequence[Line]) -> str:
    """Of the class that is looked for, where there are two; else the mean over classes."""
    return "test_f1" if any(line.cell("test_f1") for line in lines) else "test_macro_f1"


def _frozen(found: Comparison) -> list[Strip]:
    """A line for each probed model, and the mean of all students."""
    every, axes = standings(found), axes_of(found.frozen)
    together = average(every)

    def column(head: str, cells: Sequence[str], last: str = ABSENT, spare: int = 0) -> Strip:
        return Strip(head, [*cells, *([last] if together else [])], True, spare)

    def level(line: Line, metric: str) -> str:
        cell = line.cell(metric)
        if cell is None:
            return ABSENT
        spread = f" ± {hundredths(cell.sd)}" if metric == LINEAR and cell.sd is not None else ""
        return hundredths(cell.mean) + sign(line.rows, metric) + spread

    mean = [f"mean of {together.students} students"] if together else []
    shown = [(name, what) for name, what in columns(found.frozen) if is_main(what)]
    strips = [
        Strip("model", [*(line.name for line in found.frozen), *mean], False, 0),
        *(
            Strip(
                axis,
                [*(line.axes.get(axis, ABSENT) for line in found.frozen), *[ABSENT for _ in mean]],
                False,
                0,
            )
            for axis in axes
        ),
        *(
            column(
                short(what),
                [level(line, name) for line in found.frozen],
                spare=0 if name == LINEAR else _spare(what),
            )
            for name, what in shown
        ),
        column(
            "of teacher",
            [hundredths(one.of_teacher.mean if one.of_teacher else None) for one in every],
            hundredths(together.teacher_mean) if together else ABSENT,
        ),
        column(
            "over base.",
            [points(one.over_baseline.mean if one.over_baseline else None) for one in every],
            points(together.baseline_mean) if together else ABSENT,
        ),
        column(
            "labels",
            [exact(cell.mean if (cell := line.cell(LABELS)) else None) for line in found.frozen],
            spare=1,
        ),
        column("n", [str(len({row.run for row in line.rows})) for line in found.frozen]),
    ]
    return [strip for strip in strips if any(cell != ABSENT for cell in strip.cells)]


def _finetuned(every: Sequence[Beside]) -> list[Strip]:
    """A line for each fine-tuned model that has a probe of equal labels beside it."""
    lines = [one.line for one in every]
    return [
        Strip("model", [line.name for line in lines], False, 0),
        *(
            Strip(axis, [line.axes.get(axis, ABSENT) for line in lines], False, 0)
            for axis in axes_of(lines)
        ),
        *(
            Strip(column.head, [one.figures[place].shown for one in every], True, column.spare)
            for place, column in enumerate(COLUMNS)
        ),
    ]


def _spare(what: Probed) -> int:
    """Top-5 goes first, then k-NN, then few labels."""
    return 2 if what.figure == "top5" else 3 if what.share == 1 else 4


def _tuned(one: Tuned) -> list[Strip]:
    """A line for each setting: what was taken, and all that was tried in the study's order."""
    settings: dict[str, list[Candidate]] = {}
    for each in one.candidates:
        settings.setdefault(str(each.axes), []).append(each)
    groups = list(settings.values())
    taken = [next((each for each in group if each.is_taken), group[0]) for group in groups]
    tried = [
        "; ".join(f"{', '.join(each.values.values())}: {score(one, each)}" for each in group)
        for group in groups
    ]
    return [
        *(
            Strip(axis, [each.axes.get(axis, ABSENT) for each in taken], False, 0)
            for axis in one.axes
        ),
        *(
            Strip(path, [each.values.get(path, ABSENT) for each in taken], False, 0)
            for path in one.paths
        ),
        Strip("tried", tried, False, 0),
    ]


def _studies(lines: Sequence[Line]) -> bool:
    return len({line.study for line in lines}) > 1


def _spread(line: Line) -> str:
    cell = line.cell("test_top1")
    if cell is None:
        return ABSENT
    spread = "" if cell.sd is None else f" ± {hundredths(cell.sd)}"
    return hundredths(cell.mean) + sign(line.rows, "test_top1") + spread


def _seeds(line: Line) -> str:
    cell = line.cell("test_top1") or line.cell("val_top1")
    return str(cell.n) if cell else ABSENT


def _gains(contrasts: Sequence[Contrast]) -> list[Strip]:
    told = [(one, metric) for one in contrasts if (metric := metric_of(one))]
    found = [one.differences[metric] for one, metric in told]
    intervals = [
        ABSENT if one.low is None else f"{points(one.low)} to {points(one.high)}" for one in found
    ]
    return [
        Strip("difference", [one.title for one, _ in told], False, 0),
        *(
            Strip(axis, [one.axes.get(axis, ABSENT) for one, _ in told], False, 0)
            for axis in axes_of(contrasts)
        ),
        Strip("in", [TITLES[metric] for _, metric in told], False, 1),
        Strip(
            "points",
            [
                points(difference.mean) + sign((*one.of.rows, *one.against.rows), metric)
                for (one, metric), difference in zip(told, found, strict=True)
            ],
            True,
            0,
        ),
        Strip("sd", [hundredths(one.sd) for one in found], True, 2),
        Strip("95 % interval", intervals, True, 0),
        Strip("pairs", [str(one.n) for one in found], True, 0),
        Strip("shown", [one.verdict.removesuffix(" shown") for one in found], True, 3),
    ]
