"""A table of columns on a terminal: where room is short the least important are left out."""

from collections.abc import Sequence
from typing import NamedTuple

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from understudy.results.plain import plain_for

LEAST_NAME = 8  # columns that a name keeps before it is folded


class Strip(NamedTuple):
    """A column of the table."""

    head: str
    cells: list[str]
    numeric: bool
    spare: int
    """Order in which columns are left out of a narrow terminal; 0 stays."""

    @property
    def width(self) -> int:
        """Cells that it takes; a name can be folded."""
        widest = max(cell_len(text) for text in [self.head, *self.cells])
        return widest if self.numeric else min(widest, LEAST_NAME)


def table_of(strips: Sequence[Strip], console: Console) -> Table:
    """The columns as a table; no number is ever cut, a name may be folded."""
    kept = [
        strip._replace(
            head=plain_for(strip.head, console),
            cells=[plain_for(cell, console) for cell in strip.cells],
        )
        for strip in strips
    ]
    while sum(strip.width + 1 for strip in kept) > console.width:
        spare = [strip for strip in kept if strip.spare]
        if not spare:
            break
        kept.remove(min(spare, key=lambda strip: strip.spare))

    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, header_style="dim")
    for strip in kept:
        table.add_column(
            Text(strip.head),
            justify="right" if strip.numeric else "left",
            no_wrap=strip.numeric,
            overflow="fold",
        )
    for cells in zip(*(strip.cells for strip in kept), strict=True):
        table.add_row(*map(Text, cells))
    return table


def text_of(text: str, console: Console, *, style: str = "") -> Text:
    """Text as the terminal can show it."""
    return Text(plain_for(text, console), style=style)
