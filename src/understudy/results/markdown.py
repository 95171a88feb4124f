"""A study as a page of Markdown, for `docs/results/`: table, gains, findings, and where from."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from understudy.core.files import make_folder, write_text
from understudy.results.comparison import Comparison, Contrast, Line, comparison
from understudy.results.finding import telling
from understudy.results.findings import findings
from understudy.results.formats import (
    ABSENT,
    count,
    duration,
    exact,
    hundredths,
    milliseconds,
    points,
)
from understudy.results.frozen import (
    LABELS,
    Standing,
    average,
    columns,
    held_to_others,
    is_main,
    standings,
)
from understudy.results.leaks import sign
from understudy.results.probes import LINEAR_TOP5, Probed
from understudy.results.published import Compared, beside
from understudy.results.records import StudyRecord
from understudy.results.result_tables import TITLES
from understudy.results.tuned import Tuned
from understudy.results.tuning_words import head, mark, reading, score

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
        _table(HEAD, [_cells(line, telling(found.lines)) for line in found.lines]),
        _table(
            ("difference", "checkpoint", "of", "points", "95 % interval", "pairs", "shown"),
            [
                _gain(one, metric, telling(found.contrasts))
                for one in found.contrasts
                for metric in one.differences
            ],
        ),
        *(own := [*_frozen(found), *_published(record, found)]),
        *(["## Findings"] if own else []),
        "\n".join(f"- {_plain(finding.text)}" for finding in findings(record, found)),
        *(part for one in record.tuned for part in _tuning(one)),
        "## Runs",
        _table(RUNS, _runs(record)),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _frozen(found: Comparison) -> list[str]:
    """What frozen features are worth, by themselves and beside each other."""
    if not found.frozen:
        return []
    metrics = [pair for pair in columns(found.frozen) if is_main(pair[1])]
    titles = {name: what.title for name, what in metrics}
    return [
        "## Frozen features",
        "Per cent of the test images; all other figures are in `rows.csv`.",
        _standings(found, standings(found), metrics),
        *(
            [
                "In top-5:",
                _standings(found, told, [pair for pair in metrics if pair[0] == LINEAR_TOP5]),
            ]
            if (told := held_to_others(standings(found, LINEAR_TOP5)))
            else []
        ),
        _table(
            ("difference", "checkpoint", "of", "points", "95 % interval", "pairs", "shown"),
            [
                _gain(one, metric, telling(found.frozen_contrasts), titles)
                for one in found.frozen_contrasts
                for metric in titles
                if metric in one.differences
            ],
        ),
    ]


def _standings(
    found: Comparison, every: Sequence[Standing], metrics: Sequence[tuple[str, Probed]]
) -> str:
    """Probed models with what they have of their teachers and over their baselines."""
    together = average(every)
    rows = [
        [
            _at(one.line.name, one.line.axes, telling(found.frozen)),
            *(_spread(one.line, name) for name, _ in metrics),
            hundredths(one.of_teacher.mean if one.of_teacher else None),
            points(one.over_baseline.mean if one.over_baseline else None),
            exact(_mean(one.line, LABELS)),
            str(len({row.run for row in one.line.rows})),
        ]
        for one in every
    ]
    if together is not None:
        rows.append(
            [
                f"mean of all {together.students} students",
                *[ABSENT for _ in metrics],
                hundredths(together.teacher_mean),
                points(together.baseline_mean),
                ABSENT,
                ABSENT,
            ]
        )
    titles = (what.title for _, what in metrics)
    return _table(["model", *titles, "% of teacher", "over baseline", "labels", "n"], rows)


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
        _table(("model", "setting", *of, f"this study, {unit}", *titles), rows(both.models)),
        _table(
            ("difference", "setting", *of, "this study, points", *titles), rows(both.differences)
        ),
        "\n".join(f"- {_plain(one.title)}: {_plain(one.text)}" for one in both.sources),
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
        _plain(reading(one)),
        _table([*one.axes, *one.paths, head(one), "which"], rows),
    ]


def _cells(line: Line, axes: Sequence[str]) -> list[str]:
    return [
        _at(line.name, line.axes, axes),
        line.checkpoint,
        _spread(line, "test_top1"),
        _spread(line, "val_top1"),
        count(_mean(line, "parameters")),
        milliseconds(_mean(line, "latency_ms")),
        str(round(labels)) if (labels := _mean(line, "labels")) is not None else ABSENT,
        str(len({row.run for row in line.rows})),
    ]


def _at(name: str, values: Mapping[str, str], axes: Sequence[str]) -> str:
    """`student depth=8`, with the axes that tell the rows apart."""
    return " ".join([name, *(f"{axis}={values[axis]}" for axis in axes if axis in values)])


def _spread(line: Line, metric: str) -> str:
    cell = line.cell(metric)
    if cell is None:
        return ABSENT
    spread = f" ± {hundredths(cell.sd)}" if cell.sd is not None else ""
    return hundredths(cell.mean) + sign(line.rows, metric) + spread


def _mean(line: Line, metric: str) -> float | None:
    cell = line.cell(metric)
    return cell.mean if cell else None


def _gain(
    contrast: Contrast, metric: str, axes: Sequence[str], titles: Mapping[str, str] = TITLES
) -> list[str]:
    found = contrast.differences[metric]
    interval = ABSENT if found.low is None else f"{points(found.low)} to {points(found.high)}"
    return [
        _at(contrast.title, contrast.axes, axes),
        contrast.checkpoint,
        titles[metric],
        points(found.mean) + sign((*contrast.of.rows, *contrast.against.rows), metric),
        interval,
        str(found.n),
        found.verdict,
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


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return ""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(_plain(cell) for cell in cells)} |" for cells in lines)


def _plain(text: str) -> str:
    """On one line, and without what Markdown or HTML would take for its own."""
    clean = " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
    return "".join(one for one in clean if one.isprintable())
