"""The page's tables of results: the main comparison, and the paired gains."""

from collections.abc import Callable, Mapping, Sequence

from understudy.results.binary import METRICS as OF_TWO
from understudy.results.comparison import Contrast, Line
from understudy.results.finding import telling
from understudy.results.formats import (
    ABSENT,
    count,
    exact,
    hundredths,
    milliseconds,
    nats,
    plural,
    points,
    size,
)
from understudy.results.html_table import Column, Datum, Record, table
from understudy.results.leaks import sign
from understudy.results.markup import Markup, element, joined
from understudy.results.probes import LINEAR, parsed
from understudy.results.quantised import Quantised

FIGURES: tuple[tuple[str, Column, Callable[[float | None], str]], ...] = (
    ("test_top1", Column("Test %", help="Top-1 accuracy on the test split"), hundredths),
    ("val_top1", Column("Validation %", help="Top-1 accuracy on validation"), hundredths),
    (
        "train_top1",
        Column(
            "Batch %",
            help="Accuracy on its last training batches, as they were shown; says little of others",
        ),
        hundredths,
    ),
    ("test_macro_f1", Column("Macro F1 %", help="Mean F1 over the classes, test"), hundredths),
    ("test_f1", Column("F1 %", help="Of the class that is looked for, test"), hundredths),
    (
        "test_precision",
        Column("Precision %", help="Of the images called so, those that are, test", aside=True),
        hundredths,
    ),
    (
        "test_recall",
        Column("Recall %", help="Of the images that are so, those called so, test", aside=True),
        hundredths,
    ),
    (
        "test_f0.5",
        Column("F0.5 %", help="As F1, with precision counting twice, test", aside=True),
        hundredths,
    ),
    (
        "test_auc",
        Column("AUC %", help="Chance that an image of it scores above one of the other, test"),
        hundredths,
    ),
    (
        "test_ece",
        Column("ECE %", help="Expected calibration error, test: lower is better"),
        hundredths,
    ),
    (
        "test_nll",
        Column("NLL", help="Negative log-likelihood in nats, test: lower is better", aside=True),
        nats,
    ),
    ("agreement", Column("Agreement %", help="Answers equal to the teacher's, test"), hundredths),
    ("latency_ms", Column("ms / image", help="Exported, batch 1, one thread"), milliseconds),
    ("parameters", Column("Parameters"), count),
    ("labels", Column("Labels", help="Training and validation labels together"), exact),
    ("steps", Column("Steps", help="Optimizer steps up to this checkpoint", aside=True), exact),
)
COSTS: tuple[tuple[str, Column, Callable[[float | None], str]], ...] = (
    ("parameters", Column("Parameters"), count),
    ("macs", Column("MACs", help="Multiplications of one image's answer"), count),
    ("file_bytes", Column("File", help="Exported, weights and all"), size),
    ("latency_ms", Column("ms, batch 1", help="Exported, one thread"), milliseconds),
    ("latency_ms_64", Column("ms, batch 64", help="Exported, one thread, all 64"), milliseconds),
)
SPREAD = frozenset(
    {
        "test_top1",
        "val_top1",
        "train_top1",
        "test_macro_f1",
        "test_ece",
        "test_nll",
        "agreement",
        *OF_TWO,
    }
)
"""Figures that chance moves; the others show their mean alone."""
MOST_SEEDS = 12  # columns that a page has room for
TITLES = {
    "test_top1": "test accuracy",
    "test_macro_f1": "test macro F1",
    "test_f1": "test F1",
    "val_top1": "validation accuracy",
    LINEAR: "linear accuracy",
}


def axes_of(lines: Sequence[Line | Contrast]) -> list[str]:
    """The axes that tell these apart, each a column."""
    return telling(lines)


def swatch(name: str, colours: Mapping[str, str]) -> Markup:
    """A name with the dot of its colour in the plots."""
    dot = element("i", style=f"background:{colours.get(name, 'none')}", class_="dot")
    return joined([dot, name])


def main_table(lines: Sequence[Line], colours: Mapping[str, str]) -> Markup:
    """Every model at its kept checkpoints; the help of the cell of seeds names its runs."""
    axes = axes_of(lines)
    studies = len({line.study for line in lines}) > 1
    shown = [one for one in FIGURES if any(line.cell(one[0]) for line in lines)]
    columns = [
        *([Column("Study", numeric=False)] if studies else []),
        Column("Model", numeric=False),
        *(Column(axis, numeric=False) for axis in axes),
        Column("Checkpoint", numeric=False, help="The last one, or the best on validation"),
        Column("Seeds"),
        *(
            column._replace(aside=column.aside or _is_told_once(metric, lines))
            for metric, column, _ in shown
        ),
    ]
    records = [
        Record(
            [
                *([Datum(line.study or ABSENT)] if studies else []),
                Datum(swatch(line.name, colours)),
                *(Datum(line.axes.get(axis, ABSENT)) for axis in axes),
                Datum(line.checkpoint),
                Datum(
                    str(seeds := len({row.run for row in line.rows})), value=seeds, help=_runs(line)
                ),
                *(figure_of(line, metric, write, seeds) for metric, _, write in shown),
            ],
            kind=" ".join(
                word
                for word, holds in (
                    ("beside", line.checkpoint != "last"),
                    ("student", line.is_student),
                )
                if holds
            )
            or None,
        )
        for line in lines
    ]
    return table(columns, records, title="Comparison of all models")


def _is_told_once(metric: str, lines: Sequence[Line]) -> bool:
    """Whether a column would say the same of every model, and so needs no room."""
    cells = [line.cell(metric) for line in lines]
    return metric == "labels" and len({cell.mean for cell in cells if cell}) == 1


def cost_table(
    lines: Sequence[Line], colours: Mapping[str, str], eight_bits: Sequence[Quantised]
) -> Markup | None:
    """What each model costs to keep and to ask; None where nothing was measured.

    Files in eight bits stand below, each with its verdict.
    """
    shown = [one for one in COSTS if any(line.cell(one[0]) for line in lines)]
    if not shown:
        return None
    axes = axes_of(lines)
    columns = [
        Column("Model", numeric=False),
        *(Column(axis, numeric=False) for axis in axes),
        *(column for _, column, _ in shown),
    ]
    records = [
        Record(
            [
                Datum(swatch(line.name, colours)),
                *(Datum(line.axes.get(axis, ABSENT)) for axis in axes),
                *(figure_of(line, metric, write, len(line.rows)) for metric, _, write in shown),
            ]
        )
        for line in lines
    ]
    records += [
        _eight_bits(one, len(axes), [metric for metric, _, _ in shown]) for one in eight_bits
    ]
    return table(columns, records, title="Costs")


def _eight_bits(one: Quantised, axes: int, metrics: Sequence[str]) -> Record:
    """The row of a file in eight bits; its verdict stands behind its name."""
    written = {metric: write for metric, _, write in COSTS}
    values = {metric: getattr(one, metric, None) for metric in metrics}
    return Record(
        [
            Datum(f"{one.name} in int8, {one.verdict}", help=one.run),
            *(Datum(ABSENT) for _ in range(axes)),
            *(
                Datum(written[metric](value), value=value, help="; ".join(one.against) or None)
                for metric, value in values.items()
            ),
        ]
    )


def legend(lines: Sequence[Line]) -> Markup:
    """What the columns of the main table say, for those who cannot point at their heads."""
    shown = [column for metric, column, _ in FIGURES if any(line.cell(metric) for line in lines)]
    pairs = [
        joined([element("dt", column.title), element("dd", column.help)])
        for column in shown
        if column.help
    ]
    return element("details", element("summary", "What the columns say"), element("dl", *pairs))


def figure_of(line: Line, metric: str, write: Callable[[float | None], str], seeds: int) -> Datum:
    """Mean, spread where chance moves the figure, and n where it is not that of the row."""
    cell = line.cell(metric)
    if cell is None:
        return Datum(ABSENT)
    beside = []
    if cell.sd is not None and (metric in SPREAD or parsed(metric)):
        beside.append(f" ± {write(cell.sd)}")
    if cell.n != seeds:
        beside.append(f" ({cell.n} of {seeds})")
    return Datum(
        joined(
            [
                write(cell.mean),
                sign(line.rows, metric),
                *(element("small", text) for text in beside),
            ]
        ),
        value=cell.mean,
    )


def _runs(line: Line) -> str:
    ids = list(dict.fromkeys(row.run for row in line.rows))
    return f"{plural(len(ids), 'run')}: {', '.join(ids[:12])}"


def gains_table(contrasts: Sequence[Contrast], titles: Mapping[str, str] = TITLES) -> Markup:
    """Every paired difference, in points; of the metrics that have a title, in their order."""
    axes = axes_of(contrasts)
    columns = [
        Column("Difference", numeric=False),
        *(Column(axis, numeric=False) for axis in axes),
        Column("Checkpoint", numeric=False),
        Column("Of", numeric=False),
        Column("Points"),
        Column("± sd"),
        Column("95 % interval", help="Student's t over the paired differences"),
        Column("Pairs", help="Seeds that both have"),
        Column("Shown", numeric=False, help="What the interval shows: nothing, where it holds 0"),
    ]
    records = [
        Record(
            [
                Datum(contrast.title),
                *(Datum(contrast.axes.get(axis, ABSENT)) for axis in axes),
                Datum(contrast.checkpoint),
                Datum(titles[metric]),
                Datum(
                    points(found.mean) + sign((*contrast.of.rows, *contrast.against.rows), metric),
                    value=found.mean,
                ),
                Datum(hundredths(found.sd), value=found.sd),
                Datum(
                    ABSENT if found.low is None else f"{points(found.low)} to {points(found.high)}",
                    value=found.low,
                ),
                Datum(str(found.n), value=found.n),
                Datum(found.verdict),
            ],
            kind=None if contrast.checkpoint == "last" else "beside",
        )
        for contrast in contrasts
        for metric in titles
        if (found := contrast.differences.get(metric))
    ]
    return table(columns, records, title="Paired differences")


def seeds_table(lines: Sequence[Line], metric: str, colours: Mapping[str, str]) -> Markup | None:
    """One figure of every run, a column for each seed; None where there is one, or too many."""
    seeds = sorted({row.seed for line in lines for row in line.rows if row.seed is not None})
    if not 1 < len(seeds) <= MOST_SEEDS:
        return None
    axes = axes_of(lines)
    columns = [
        Column("Model", numeric=False),
        *(Column(axis, numeric=False) for axis in axes),
        Column("Checkpoint", numeric=False),
        *(Column(f"Seed {seed}") for seed in seeds),
        Column("Mean"),
    ]
    records = []
    for line in lines:
        values = {row.seed: getattr(row, metric) for row in line.rows}
        mean = cell.mean if (cell := line.cell(metric)) else None
        records.append(
            Record(
                [
                    Datum(swatch(line.name, colours)),
                    *(Datum(line.axes.get(axis, ABSENT)) for axis in axes),
                    Datum(line.checkpoint),
                    *(
                        Datum(hundredths(values.get(seed)), value=values.get(seed))
                        for seed in seeds
                    ),
                    Datum(hundredths(mean), value=mean),
                ],
                kind=None if line.checkpoint == "last" else "beside",
            )
        )
    return table(columns, records, title=f"{TITLES[metric].capitalize()} seed by seed, in per cent")
