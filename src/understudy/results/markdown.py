"""A study as a page of Markdown, for `docs/results/`: table, gains, findings, and where from."""

from collections.abc import Sequence
from pathlib import Path

from understudy.core.files import make_folder, write_text
from understudy.results.comparison import Contrast, Line, comparison
from understudy.results.findings import findings
from understudy.results.formats import ABSENT, count, duration, hundredths, milliseconds, points
from understudy.results.leaks import sign
from understudy.results.records import StudyRecord
from understudy.results.result_tables import TITLES

HEAD = ("model", "checkpoint", "test %", "validation %", "parameters", "ms / image", "labels", "n")
RUNS = ("model", "seed", "steps", "time", "computed in", "code", "run")


def write_markdown(record: StudyRecord, path: Path) -> None:
    """Writes the page; every number in it is computed from the runs.

    Raises:
        StorageError: The disk refuses.
    """
    make_folder(path.parent)
    write_text(path, markdown(record))


def markdown(record: StudyRecord) -> str:
    """The page's text."""
    found = comparison(record)
    parts = [
        f"# {_plain(record.title)}",
        f"Study `{_plain(record.name)}`; written by `understudy report`, not by hand.",
        *([f"**Reduced:** {_plain(record.reduced)}"] if record.reduced else []),
        _table(HEAD, [_cells(line) for line in found.lines]),
        _table(
            ("difference", "checkpoint", "of", "points", "95 % interval", "pairs"),
            [_gain(one, metric) for one in found.contrasts for metric in one.differences],
        ),
        "\n".join(f"- {_plain(finding.text)}" for finding in findings(record, found)),
        "## Runs",
        _table(RUNS, _runs(record)),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _cells(line: Line) -> list[str]:
    name = " ".join([line.name, *(f"{axis}={value}" for axis, value in line.axes.items())])
    return [
        name,
        line.checkpoint,
        _spread(line, "test_top1"),
        _spread(line, "val_top1"),
        count(_mean(line, "parameters")),
        milliseconds(_mean(line, "latency_ms")),
        str(round(labels)) if (labels := _mean(line, "labels")) is not None else ABSENT,
        str(len({row.run for row in line.rows})),
    ]


def _spread(line: Line, metric: str) -> str:
    cell = line.cell(metric)
    if cell is None:
        return ABSENT
    spread = f" ± {hundredths(cell.sd)}" if cell.sd is not None else ""
    return hundredths(cell.mean) + sign(line.rows, metric) + spread


def _mean(line: Line, metric: str) -> float | None:
    cell = line.cell(metric)
    return cell.mean if cell else None


def _gain(contrast: Contrast, metric: str) -> list[str]:
    found = contrast.differences[metric]
    interval = ABSENT if found.low is None else f"{points(found.low)} to {points(found.high)}"
    return [
        f"{contrast.of.name} − {contrast.against.name}",
        contrast.checkpoint,
        TITLES[metric],
        points(found.mean) + sign((*contrast.of.rows, *contrast.against.rows), metric),
        interval,
        str(found.n),
    ]


def _runs(record: StudyRecord) -> list[list[str]]:
    return [
        [
            entry.node,
            ABSENT if entry.seed is None else str(entry.seed),
            str(entry.run.summary.get("steps", ABSENT)),
            duration(entry.run.summary.get("seconds")),
            str(entry.run.summary.get("precision", ABSENT)),
            str(entry.run.summary.get("version", ABSENT)),
            f"`{entry.run.path.parent.name}/{entry.run.path.name}`",
        ]
        for entry in record.entries
    ]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return ""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(_plain(cell) for cell in cells)} |" for cells in lines)


def _plain(text: str) -> str:
    """On one line, and without what Markdown or HTML would take for its own."""
    clean = " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
    return "".join(one for one in clean if one.isprintable())
