"""Tables of the page: numbers right-aligned, wide ones scroll, heads sort."""

from collections.abc import Sequence
from typing import NamedTuple

from understudy.results.markup import Child, Markup, element, joined


class Column(NamedTuple):
    """A head."""

    title: str
    numeric: bool = True
    help: str | None = None
    """Shown when the pointer rests on the head."""


class Datum(NamedTuple):
    """A cell."""

    shown: Child
    value: float | None = None
    """What it is sorted by; else its text."""
    help: str | None = None


class Record(NamedTuple):
    """A row."""

    cells: Sequence[Datum]
    kind: str | None = None
    """Its class in the page's style."""


def table(columns: Sequence[Column], records: Sequence[Record], *, title: str) -> Markup:
    """A table in a frame that scrolls sideways where the page is narrow."""
    heads = [
        element(
            "th",
            element("button", column.title, type="button", title=column.help),
            scope="col",
            class_="number" if column.numeric else None,
        )
        for column in columns
    ]
    lines = [
        element(
            "tr",
            *(_cell(column, datum) for column, datum in zip(columns, record.cells, strict=True)),
            class_=record.kind,
        )
        for record in records
    ]
    return element(
        "div",
        element(
            "table",
            element("thead", element("tr", *heads)),
            element("tbody", joined(lines)),
        ),
        class_="scroll tall" if len(records) > 40 else "scroll",
        tabindex="0",
        role="region",
        aria_label=title,
    )


def _cell(column: Column, datum: Datum) -> Markup:
    return element(
        "td",
        datum.shown,
        class_="number" if column.numeric else None,
        data_value=None if datum.value is None else repr(datum.value),
        title=datum.help,
    )
