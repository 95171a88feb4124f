"""The page's section of classes: what the student gets right and confuses."""

from collections.abc import Sequence
from heapq import nlargest

from understudy.results.class_plots import MOST_CLASSES, confusion, recalls
from understudy.results.classes import Classes, ClassFigures, classes_of
from understudy.results.comparison import Comparison
from understudy.results.figure import plotted
from understudy.results.finding import setting
from understudy.results.formats import ABSENT, exact, hundredths
from understudy.results.html_table import Column, Datum, Record, table
from understudy.results.leaks import sign
from understudy.results.markup import Markup, element, section
from understudy.results.records import StudyRecord

MOST_BY_CLASS = 1000  # rows of the table, the weakest first: about 300 kB
OPEN = 12  # classes up to which the table stands open
MOST_CONFUSIONS = 12


def classes(record: StudyRecord, found: Comparison) -> Markup | None:
    """The student class by class: as plots for few classes, as the weakest ones for many."""
    told = classes_of(record, found)
    if told is None:
        return None
    few = len(told.names) <= MOST_CLASSES
    mark = sign(told.line.rows, "test_top1")
    weakest = sorted(told.figures, key=lambda one: one.f1 if one.f1 is not None else 2.0)
    by_class = _class_table(weakest[:MOST_BY_CLASS], mark)
    heading = "Precision, recall and F1 by class, the weakest first"
    if len(told.names) > MOST_BY_CLASS:
        heading += f" ({exact(MOST_BY_CLASS)} of {exact(len(told.names))})"
    return section(
        "classes",
        "Classes",
        element("p", _which(told, found), class_="quiet note"),
        element("div", *_plots(told, mark), class_="figures") if few else None,
        element(
            "details",
            element("summary", heading),
            by_class,
            open="" if len(told.names) <= OPEN or not few else None,
        ),
        element("details", element("summary", "Most frequent confusions"), _confusions(told, mark)),
    )


def _which(told: Classes, found: Comparison) -> str:
    line = told.line
    students = sum(one.stage == line.stage for one in found.at(line.checkpoint))
    name = " · ".join(part for part in (line.name, setting(line.axes)) if part)
    runs = f"{len(line.rows)} runs together" if len(line.rows) > 1 else "1 run"
    chosen = f" Of {students} such models the best on validation." if students > 1 else ""
    return f"{name}, {line.checkpoint} checkpoint, {runs}.{chosen}"


def _plots(told: Classes, mark: str) -> list[Markup]:
    compared = any(one.before is not None for one in told.figures)
    return [
        plotted(
            confusion(told), caption=f"Answers by class{mark}", note="% of the class's test images"
        ),
        plotted(
            recalls(told.figures, of=told.line.name, against="baseline"),
            caption=f"Recall by class{mark}",
            note="largest gain first" if compared else "",
        ),
    ]


def _class_table(figures: Sequence[ClassFigures], mark: str) -> Markup:
    compared = any(one.before is not None for one in figures)
    columns = [
        Column("Class", numeric=False),
        Column("Images", help="Test images of the class: its support"),
        Column("Precision %", help="Of the images called so, those that are"),
        Column("Recall %", help="Of the images that are so, those called so"),
        Column("F1 %", help="Harmonic mean of both"),
        *([Column("Baseline recall %", help="Of the model trained on labels alone")] * compared),
    ]
    records = [
        Record(
            [
                Datum(one.name),
                Datum(exact(one.images), value=one.images),
                *(
                    Datum(ABSENT if value is None else hundredths(value) + mark, value=value)
                    for value in (one.precision, one.recall, one.f1, *[one.before] * compared)
                ),
            ]
        )
        for one in figures
    ]
    return table(columns, records, title="Figures by class")


def _confusions(told: Classes, mark: str) -> Markup:
    """The most frequent wrong answers, as shares of their class."""
    sums = [sum(row) or 1.0 for row in told.confusion]
    wrong = (
        (value / sums[place], told.names[place], told.names[column])
        for place, row in enumerate(told.confusion)
        for column, value in enumerate(row)
        if value and column != place
    )
    columns = [
        Column("Class", numeric=False),
        Column("Answered as", numeric=False),
        Column("% of the class"),
    ]
    records = [
        Record([Datum(name), Datum(answer), Datum(hundredths(share) + mark, value=share)])
        for share, name, answer in nlargest(MOST_CONFUSIONS, wrong)
    ]
    return table(columns, records, title="Most frequent confusions")
