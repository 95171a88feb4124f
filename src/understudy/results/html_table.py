"""Tables of the page: numbers right-aligned, wide ones scroll; DataTables sorts and filters."""

from collections.abc import Sequence
from typing import NamedTuple

from understudy.results.markup import Child, Markup, element, joined

LONG = 50
"""Rows; a table of more is shown in pages by page.js."""


class Column(NamedTuple):
    """A head."""

    title: str
    numeric: bool = True
    help: str | None = None
    """Shown when the pointer rests on the head."""
    aside: bool = False
    """Hidden until the reader asks for all columns; shown where no script runs."""


class Datum(NamedTuple):
    """A cell."""

    shown: Child
    value: float | None = None
    """What it is sorted by in a numeric column; None comes last."""
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
            column.title,
            scope="col",
            title=column.help,
            class_=" ".join(
                word
                for word, holds in (("number", column.numeric), ("aside", column.aside))
                if holds
            )
            or None,
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
        class_="scroll long" if len(records) > LONG else "scroll",
        role="region",
        aria_label=title,
    )


def _cell(column: Column, datum: Datum) -> Markup:
    return element(
        "td",
        datum.shown,
        class_="number" if column.numeric else None,
        data_order=_order(datum) if column.numeric else None,
        title=datum.help,
    )


def _order(datum: Datum) -> str:
    return "" if datum.value is None else repr(datum.value)
