"""Words and numbers for a Markdown page about a model; names from outside can do nothing there."""

import unicodedata
from collections.abc import Sequence

from understudy.evaluation.intervals import Interval


def code(name: str) -> str:
    """A name from outside, shown as it is: no mark-up, no line break, no table cell of its own."""
    plain = "".join(" " if unicodedata.category(one)[0] in "CZ" else one for one in name)
    return f"`{plain.replace('`', chr(39)).replace('|', '/').strip() or ' '}`"


def codes(names: Sequence[str], *, most: int = 1000) -> str:
    """Several names; those beyond `most` are counted."""
    more = f", and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(map(code, names[:most])) + more


def percent(share: float | None) -> str:
    """`53.4 %`, or `not measured`."""
    return "not measured" if share is None else f"{100 * share:.1f} %"


def between(interval: Interval) -> str:
    """`50.1 to 58.4 %`."""
    return f"{100 * interval.low:.1f} to {100 * interval.high:.1f} %"


def bullets(lines: Sequence[str]) -> str:
    """A list; no line where there is none."""
    return "\n".join(f"- {line}" for line in lines)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table, the first column of words, the others of numbers."""
    marks = ["---", *("---:" for _ in head[1:])]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [head, marks, *rows])


def counted(number: int, noun: str) -> str:
    """`1 label`, `1,300 labels`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
