"""The table that ends a study on the screen: models side by side, then what was gained."""

from collections.abc import Sequence

from understudy.cli.plain_text import one_line, wrapped
from understudy.results.comparison import Comparison, Line, comparison
from understudy.results.finding import setting
from understudy.results.findings import findings
from understudy.results.formats import count, exact, hundredths, milliseconds
from understudy.results.records import StudyRecord
from understudy.results.tables import Cell

HEAD = ("model", "checkpoint", "test top-1 %", "val top-1 %", "parameters", "ms", "labels", "n")


def summary(record: StudyRecord) -> str:
    """What a study or a folder of runs is worth, in lines of 80 columns where names allow it."""
    found = comparison(record)
    title = one_line(record.title or record.name)
    told = [
        line
        for finding in findings(record, found)
        for line in wrapped(one_line(finding.text), first="* ", indent="  ")
    ]
    reduced = wrapped(one_line(record.reduced), indent="") if record.reduced else []
    return "\n".join([title, *reduced, "", *_table(found), "", *told])


def _table(found: Comparison) -> list[str]:
    rows = [_cells(line) for line in found.lines]
    if not rows:
        return ["No trained classifier yet."]
    widths = [max(len(row[place]) for row in [HEAD, *rows]) for place in range(len(HEAD))]
    return [
        _aligned(HEAD, widths),
        _aligned(["-" * width for width in widths], widths),
        *(_aligned(row, widths) for row in rows),
    ]


def _cells(line: Line) -> list[str]:
    axes = setting(line.axes)
    labels, parameters = line.cell("labels"), line.cell("parameters")
    latency = line.cell("latency_ms")
    return [
        one_line(f"{line.name} ({axes})" if axes else line.name),
        line.checkpoint,
        _share(line.cell("test_top1")),
        _share(line.cell("val_top1")),
        count(parameters.mean if parameters else None),
        milliseconds(latency.mean if latency else None),
        exact(labels.mean if labels else None),
        str(len({row.run for row in line.rows})),
    ]


def _share(cell: Cell | None) -> str:
    """Mean and deviation over seeds; one run has no deviation to show."""
    if cell is None:
        return hundredths(None)
    spread = "" if cell.sd is None else f" ± {hundredths(cell.sd)}"
    return f"{hundredths(cell.mean)}{spread}"


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> str:
    """Text to the left, numbers to the right."""
    texts = [cell.ljust(width) for cell, width in zip(cells[:2], widths[:2], strict=True)]
    numbers = [cell.rjust(width) for cell, width in zip(cells[2:], widths[2:], strict=True)]
    return "  ".join([*texts, *numbers]).rstrip()
