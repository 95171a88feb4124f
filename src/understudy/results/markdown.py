"""A study as a page of Markdown, for `docs/results/`: table, gains, findings, and where from."""

from collections.abc import Sequence
from pathlib import Path

from understudy.core.files import make_folder, write_text
from understudy.results.browser.of_runs import sheet_of
from understudy.results.comparison import Comparison, Line, comparison
from understudy.results.finding import telling
from understudy.results.findings import findings
from understudy.results.finetuned import COLUMNS, beside_probes
from understudy.results.finetuned import TITLE as FINE_TUNED
from understudy.results.formats import (
    ABSENT,
    count,
    duration,
    milliseconds,
)
from understudy.results.markdown_cells import GAINS, at, gain, mean, plain, spread, table
from understudy.results.markdown_frozen import frozen
from understudy.results.markdown_many import MOST_LINES, many
from understudy.results.published import Compared, beside
from understudy.results.records import StudyRecord
from understudy.results.tuned import Tuned
from understudy.results.tuning_words import head, mark, reading, score

ACCURACIES = {
    "test_top1": "test %",
    "val_top1": "validation %",
    "train_top1": "last batches %",
    "agreement": "agreement %",
}
"""Columns of the first table; one that no model has is left out."""
COSTS = ("parameters", "ms / image", "labels", "n")
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
    are_many = len(found.lines) > MOST_LINES
    sheet = sheet_of(record, found, beside=Path()) if are_many else None
    runs = table(RUNS, _runs(record))
    parts = [
        f"# {plain(record.title)}",
        f"Study `{plain(record.name)}`; written by `understudy report`, not by hand.",
        *([f"**Reduced:** {plain(record.reduced)}"] if record.reduced else []),
        *(_one_by_one(found) if sheet is None else many(sheet)),
        *(own := [*frozen(found), *_finetuned(found), *_published(record, found)]),
        *(["## Findings"] if own else []),
        "\n".join(f"- {plain(finding.text)}" for finding in findings(record, found)),
        *(part for one in record.tuned for part in _tuning(one)),
        "## Runs",
        *(_folded(runs, "Every run") if sheet else [runs]),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _finetuned(found: Comparison) -> list[str]:
    """Fine-tuned models beside the probes of what they began with."""
    every = beside_probes(found)
    if not every:
        return []
    axes = telling([one.line for one in every])
    rows = [
        [at(one.line.name, one.line.axes, axes), *(figure.shown for figure in one.figures)]
        for one in every
    ]
    return [
        "## Fine-tuned",
        f"{FINE_TUNED}; per cent of the test images.",
        table(["model", *(column.head for column in COLUMNS)], rows),
    ]


def _published(record: StudyRecord, found: Comparison) -> list[str]:
    """This study beside what others published, in three parts."""
    both = beside(record, found)
    if both is None:
        return []
    titles = [one.title for one in both.sources]

    def rows(told: Sequence[Compared]) -> list[list[str]]:
        of = both.is_of_several
        return [[one.title, one.setting, *([one.what] * of), *one.figures] for one in told]

    of = ["of"] * both.is_of_several
    unit = "%" if both.is_of_several else "test %"
    return [
        "## Beside what was published",
        *([both.note] if both.note else []),
        table(("model", "setting", *of, f"this study, {unit}", *titles), rows(both.models)),
        table(
            ("difference", "setting", *of, "this study, points", *titles), rows(both.differences)
        ),
        "\n".join(f"- {plain(one.title)}: {plain(one.text)}" for one in both.sources),
    ]


def _tuning(one: Tuned) -> list[str]:
    rows = [
        [
            *(each.axes.get(axis, ABSENT) for axis in one.axes),
            *(each.values.get(path, ABSENT) for path in one.paths),
            score(one, each),
            mark(each),
        ]
        for each in one.candidates
    ]
    return [
        "## Tuning",
        plain(reading(one)),
        table([*one.axes, *one.paths, head(one), "which"], rows),
    ]


def _folded(text: str, title: str) -> list[str]:
    """What a reader unfolds, where Markdown is shown as a page."""
    return [f"<details><summary>{title}</summary>", text, "</details>"]


def _one_by_one(found: Comparison) -> list[str]:
    """Every model and every difference, a line each."""
    axes = telling(found.contrasts)
    differences = [gain(one, metric, axes) for one in found.contrasts for metric in one.differences]
    return [_models(found.lines), table(GAINS, differences)]


def _models(lines: Sequence[Line]) -> str:
    """Every model at its kept checkpoints."""
    shown = [metric for metric in ACCURACIES if any(line.cell(metric) for line in lines)]
    head = ["model", "checkpoint", *(ACCURACIES[metric] for metric in shown), *COSTS]
    return table(head, [_cells(line, telling(lines), shown) for line in lines])


def _cells(line: Line, axes: Sequence[str], accuracies: Sequence[str]) -> list[str]:
    return [
        at(line.name, line.axes, axes),
        line.checkpoint,
        *(spread(line, metric) for metric in accuracies),
        count(mean(line, "parameters")),
        milliseconds(mean(line, "latency_ms")),
        str(round(labels)) if (labels := mean(line, "labels")) is not None else ABSENT,
        str(len({row.run for row in line.rows})),
    ]


def _runs(record: StudyRecord) -> list[list[str]]:
    return [
        [
            " ".join(
                [
                    entry.node,
                    *(f"{axis}={value}" for axis, value in entry.axes.items()),
                ]
            ),
            ABSENT if entry.seed is None else str(entry.seed),
            str(entry.run.summary.get("steps", ABSENT)),
            duration(entry.run.summary.get("seconds")),
            str(entry.run.summary.get("precision", ABSENT)),
            str(entry.run.summary.get("version", ABSENT)),
            f"`{entry.run.path.parent.name}/{entry.run.path.name}`",
        ]
        for entry in record.entries
    ]
