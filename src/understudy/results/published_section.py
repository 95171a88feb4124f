"""The page's section that holds a study against what others published."""

from collections.abc import Sequence

from understudy.results.finding import began
from understudy.results.html_table import Column, Datum, Record, table
from understudy.results.markup import Markup, element, section
from understudy.results.published import Beside, Compared


def published(found: Beside | None) -> Markup | None:
    """Models and differences, ours and theirs; None where nothing is to be compared."""
    if found is None:
        return None
    return section(
        "published",
        "Beside what was published",
        element("p", found.note, class_="quiet note") if found.note else None,
        element("h3", "Accuracy" if found.is_of_several else "Test accuracy"),
        _table("Model", "%", found, found.models),
        *_differences(found),
        element(
            "dl",
            *(
                part
                for one in found.sources
                for part in (element("dt", one.title), element("dd", one.text))
            ),
        ),
    )


def _differences(found: Beside) -> list[Markup]:
    if not found.differences:
        return []
    table = _table("Difference", "points", found, found.differences)
    what = "accuracy" if found.is_of_several else "test accuracy"
    return [element("h3", f"Differences in {what}"), table]


def _table(first: str, unit: str, found: Beside, rows: Sequence[Compared]) -> Markup:
    with_setting = any(row.setting for row in rows)
    columns = [
        Column(first, numeric=False),
        *([Column("Setting", numeric=False)] * with_setting),
        *([Column("Of", numeric=False)] * found.is_of_several),
        Column(f"This study, {unit}"),
        *(Column(began(one.title), help=one.text) for one in found.sources),
    ]
    records = [
        Record(
            [
                Datum(row.title),
                *([Datum(row.setting)] * with_setting),
                *([Datum(row.what)] * found.is_of_several),
                *(Datum(each) for each in row.figures),
            ]
        )
        for row in rows
    ]
    return table(columns, records, title=f"{first}s beside what was published, {unit}")
