"""The page's section on fine-tuning with few labels, beside probes that know as many."""

from collections.abc import Mapping

from understudy.results.comparison import Comparison
from understudy.results.finetuned import COLUMNS, TITLE, beside_probes
from understudy.results.formats import ABSENT
from understudy.results.html_table import Column, Datum, Record, table
from understudy.results.markup import Markup, element, section
from understudy.results.result_tables import axes_of, swatch

READING = (
    "Per cent of the test images, at the last checkpoint. The probe is of the features that the "
    "fine-tuning began with and knows as many labels: it says what was there before, and the "
    "points are what the fine-tuning changed. Labels of validation that either reads are counted: "
    "the probe chooses its regularisation by them, a fine-tuning when to stop, or nothing."
)


def finetuned(found: Comparison, colours: Mapping[str, str]) -> Markup | None:
    """Every fine-tuned model that has a probe of equal labels beside it; None without any."""
    every = beside_probes(found)
    if not every:
        return None
    axes = axes_of([one.line for one in every])
    heads = [
        Column("Model", numeric=False),
        *(Column(axis, numeric=False) for axis in axes),
        *(Column(column.head.capitalize(), help=column.help) for column in COLUMNS),
    ]
    records = [
        Record(
            [
                Datum(swatch(one.line.name, colours)),
                *(Datum(one.line.axes.get(axis, ABSENT)) for axis in axes),
                *(Datum(figure.shown, value=figure.value) for figure in one.figures),
            ]
        )
        for one in every
    ]
    return section(
        "finetuned",
        "Fine-tuned",
        table(heads, records, title=TITLE.capitalize()),
        element("p", READING, class_="quiet note"),
    )
