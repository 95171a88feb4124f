"""The page's section of tuning: what was tried, what it scored on validation, what was taken."""

from collections.abc import Sequence

from understudy.results.formats import ABSENT
from understudy.results.html_table import Column, Datum, Record, table
from understudy.results.markup import Markup, element, joined, section
from understudy.results.tuned import Tuned
from understudy.results.tuning_words import head, mark, reading, score


def tuning(tuned: Sequence[Tuned]) -> Markup | None:
    """Every candidate; nothing where a study tunes nothing."""
    if not tuned:
        return None
    parts = [
        joined([element("p", reading(one), class_="quiet note"), _candidates(one)]) for one in tuned
    ]
    return section("tuning", "Tuning", *parts)


def _candidates(one: Tuned) -> Markup:
    columns = [
        *(Column(axis, numeric=False) for axis in one.axes),
        *(Column(path, numeric=False) for path in one.paths),
        Column(f"V{head(one)[1:]}"),
        Column("Which", numeric=False, help="What was taken, and what the study's file says"),
    ]
    records = [
        Record(
            [
                *(Datum(each.axes.get(axis, ABSENT)) for axis in one.axes),
                *(Datum(each.values.get(path, ABSENT)) for path in one.paths),
                Datum(score(one, each), value=each.score, help=each.error or each.run or None),
                Datum(mark(each)),
            ],
            kind="student" if each.is_taken else None,
        )
        for each in one.candidates
    ]
    return table(columns, records, title="Candidates")
