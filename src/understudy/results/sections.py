"""The page's sections, each a heading with its plots and tables, or nothing to show."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from understudy.results.class_plots import MOST_CLASSES, confusion, recalls
from understudy.results.classes import Classes, ClassFigures, classes_of
from understudy.results.comparison import Comparison, Line
from understudy.results.curves import curves, drawn
from understudy.results.figure import plotted
from understudy.results.finding import setting
from understudy.results.findings import METRICS
from understudy.results.formats import exact, hundredths, plural
from understudy.results.html_table import Column, Datum, Record, table
from understudy.results.markup import Child, Markup, element
from understudy.results.plots import accuracies, accuracy_against, gains
from understudy.results.records import StudyRecord
from understudy.results.result_tables import gains_table, main_table
from understudy.results.rows import Row
from understudy.results.run_section import runs_table, settings_of

Colours = Mapping[str, str]
MOST_BY_CLASS = 25  # rows of the table by class; the weakest
MOST_LINES = 120  # rows of a plot: three screens


def results(found: Comparison, colours: Colours) -> Markup | None:
    """The main table, and the seeds behind it."""
    lines = found.at("last") or found.lines
    if not lines:
        return None
    metric = _metric(lines)
    contrasts = [
        one
        for one in found.contrasts
        if one.checkpoint == lines[0].checkpoint and metric in one.differences
    ]
    plots = [
        plotted(
            accuracies(lines[:MOST_LINES], metric, colours),
            caption=f"{METRICS[metric].capitalize()} ({lines[0].checkpoint} checkpoint): "
            "a dot per seed, a bar at the mean",
        )
    ]
    if contrasts:
        plots.append(
            plotted(
                gains(contrasts[:MOST_LINES], metric),
                caption=f"Differences in {METRICS[metric]}, paired by seed, with 95 % intervals",
            )
        )
    details = element(
        "details", element("summary", "All paired differences"), gains_table(found.contrasts)
    )
    return _section(
        "results",
        "Results",
        main_table(found.lines, colours),
        element("p", _reading(found), class_="quiet note"),
        element("div", *plots, class_="figures"),
        details if found.contrasts else None,
    )


def _metric(lines: Sequence[Line]) -> str:
    """What accuracy means here: on the test split where any model was evaluated there."""
    tested = any(line.cell("test_top1") for line in lines)
    return "test_top1" if tested else "val_top1"


def _reading(found: Comparison) -> str:
    seeds = max(len(line.rows) for line in found.lines)
    spread = (
        "± is the standard deviation over seeds." if seeds > 1 else "One seed, so no ± is shown."
    )
    return (
        f"{spread} “last” is the end of training, chosen by nobody; “best” was chosen on "
        "validation. Nothing is chosen on test."
    )


def training(record: StudyRecord, colours: Colours) -> Markup | None:
    """Curves: validation accuracy together, k-NN, and the loss of each name by itself."""
    entries = drawn(record.entries)
    plots = []
    for key, caption in (
        ("top1", "Validation accuracy"),
        ("knn_top1", "k-NN accuracy of the features while pretraining"),
    ):
        if found := curves(entries, phase="validation", key=key, colours=colours, share=True):
            plots.append(plotted(found, caption=caption))
    for name in dict.fromkeys(entry.node for entry in entries):
        own = [entry for entry in entries if entry.node == name]
        if found := curves(own, phase="train", key="loss", colours=colours, share=False):
            plots.append(plotted(found, caption=f"Training loss: {name}"))
    if not plots:
        return None
    total = sum(bool(entry.run.history.lines) for entry in record.entries)
    note = f"{len(entries)} of {total} runs are drawn." if len(entries) < total else None
    return _section(
        "training",
        "Training",
        element("p", note, class_="quiet note") if note else None,
        element("div", *plots, class_="figures"),
    )


def classes(record: StudyRecord, found: Comparison) -> Markup | None:
    """The student class by class: as plots for few classes, as the weakest ones for many."""
    told = classes_of(record, found)
    if told is None:
        return None
    few = len(told.names) <= MOST_CLASSES
    which = " · ".join(part for part in (told.line.name, setting(told.line.axes)) if part)
    runs = plural(len(told.line.rows), "run")
    plots = [
        plotted(confusion(told), caption="Answers by class, % of the class's test images"),
        plotted(
            recalls(told.figures, of=told.line.name, against="baseline"),
            caption="Recall by class, largest gain first",
        ),
    ]
    weakest = sorted(told.figures, key=lambda one: one.f1 if one.f1 is not None else 2.0)
    by_class = _class_table(weakest[:MOST_BY_CLASS])
    heading = f"Figures of the {MOST_BY_CLASS} weakest of {len(told.names)} classes"
    return _section(
        "classes",
        "Classes",
        element("p", f"{which}, last checkpoint, {runs} together.", class_="quiet note"),
        element("div", *plots, class_="figures") if few else None,
        element(
            "details",
            element("summary", "Figures by class" if few else heading),
            by_class,
            open=None if few else "",
        ),
        element("details", element("summary", "Most frequent confusions"), _confusions(told)),
    )


def _class_table(figures: Sequence[ClassFigures]) -> Markup:
    columns = [
        Column("Class", numeric=False),
        Column("Images"),
        Column("Precision %"),
        Column("Recall %"),
        Column("F1 %"),
        Column("Baseline recall %"),
    ]
    records = [
        Record(
            [
                Datum(one.name),
                Datum(exact(one.images), value=one.images),
                *(
                    Datum(hundredths(value), value=value)
                    for value in (one.precision, one.recall, one.f1, one.before)
                ),
            ]
        )
        for one in figures
    ]
    return table(columns, records, title="Figures by class")


def _confusions(told: Classes) -> Markup:
    """The twelve most frequent wrong answers, as shares of their class."""
    sums = [sum(row) or 1.0 for row in told.confusion]
    wrong = [
        (value / sums[place], told.names[place], told.names[column])
        for place, row in enumerate(told.confusion)
        for column, value in enumerate(row)
        if column != place and value
    ]
    columns = [
        Column("Class", numeric=False),
        Column("Answered as", numeric=False),
        Column("% of the class"),
    ]
    records = [
        Record([Datum(name), Datum(answer), Datum(hundredths(share), value=share)])
        for share, name, answer in sorted(wrong, key=lambda one: -one[0])[:12]
    ]
    return table(columns, records, title="Most frequent confusions")


def costs(found: Comparison, colours: Colours) -> Markup | None:
    """Accuracy over parameters and over latency."""
    lines = found.at("last") or found.lines
    metric = _metric(lines)
    plots = [
        plotted(drawn, caption=f"{METRICS[metric].capitalize()} against {title}")
        for cost, title in (("parameters", "parameters"), ("latency_ms", "latency"))
        if (drawn := accuracy_against(cost, lines, metric, colours))
    ]
    return _section("cost", "Cost", element("div", *plots, class_="figures")) if plots else None


def runs(record: StudyRecord, rows: tuple[Row, ...], *, beside: Path, colours: Colours) -> Markup:
    """Every run, and the settings of every configuration."""
    if not record.entries:
        return _section("runs", "Runs", element("p", "No run has begun yet."))
    return _section(
        "runs",
        "Runs",
        runs_table(record, beside=beside, colours=colours),
        element("h3", "Settings"),
        *settings_of(record, rows),
    )


def _section(name: str, title: str, *children: Child) -> Markup:
    return element("section", element("h2", title), *children, id=name)
