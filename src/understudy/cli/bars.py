"""The lines of work under way, for a screen of any width: one for each, and none that wraps."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rich.cells import cell_len
from rich.text import Text

CLOCK = 7  # columns: 9:59:59, or 99 hours and their minutes
SHARE = 4  # 100%
BAR = 24
LEAST_BAR = 10  # tenths can be told apart
LEAST_TITLE = 12
SEPARATORS = re.compile(r"(, |: )")
FULL, EMPTY, LEFT_OUT = "━", "─", "…"
ASCII = str.maketrans({FULL: "=", EMPTY: "-", LEFT_OUT: "~"})
"""For terminals that have no others."""


class Shown(NamedTuple):
    """What is shown of one piece of work."""

    title: str
    note: str = ""
    done: int = 0
    total: int = 0
    """0: nothing is counted now."""
    left: float | None = None
    """Seconds."""
    is_whole: bool = False
    """Whether it counts trials; then its note tells the time, better than its own pace."""


def lines(
    trials: Sequence[Shown], others: Sequence[Shown], *, width: int, height: int
) -> list[Text]:
    """Trials in columns, one line each, and below them everything else, with bars.

    Args:
        trials: What goes on at the same time.
        others: What encloses it, or goes on alone.
        width: Columns of the screen.
        height: Its lines; trials that have no room are counted.
    """
    room = max(1, height - len(others) - 2)  # one for what follows, one for the count
    shown = trials if len(trials) <= room + 1 else trials[:room]
    rows = _trials(shown, width)
    if more := len(trials) - len(shown):
        rows.append(Text(f"and {more} more"))
    rows += [_whole(one, width) if one.is_whole else _alone(one, width) for one in others]
    for row in rows:
        row.no_wrap, row.overflow = True, "ellipsis"
        row.truncate(width, overflow="ellipsis")
    return rows


def _trials(trials: Sequence[Shown], width: int) -> list[Text]:
    fixed = SHARE + CLOCK + 3
    noted = max((cell_len(one.note) for one in trials), default=0)
    noted = max(0, min(noted, width - fixed - LEAST_TITLE))
    titled = max((cell_len(one.title) for one in trials), default=0)
    titled = max(1, min(titled, width - fixed - noted))
    rows = []
    for one in trials:
        title = shortened(one.title, titled)
        row = Text(title + " " * (titled - cell_len(title)))
        if one.total:
            row.append(f" {_share(one):>{SHARE}}", "progress.percentage")
            row.append(f" {clock(one.left):>{CLOCK}}", "progress.remaining")
            row.append(f" {one.note}")
        rows.append(row)
    return rows


def _alone(one: Shown, width: int) -> Text:
    """`train student ━━━━━━━━──────  45%    0:12 loss 2.301`."""
    tail = Text(f" {_share(one):>{SHARE}}", "progress.percentage")
    tail.append(f" {clock(one.left)}", "progress.remaining")
    tail.append(f" {one.note}" if one.note else "", "default")
    return _with_bar(one, tail, width)


def _whole(one: Shown, width: int) -> Text:
    """`study: 222 runs ━━━━────────  37 of 222, about 12 min left`."""
    return _with_bar(one, Text(f" {one.done} of {one.total}{one.note and f', {one.note}'}"), width)


def _with_bar(one: Shown, tail: Text, width: int) -> Text:
    room = width - tail.cell_len - 1
    title = shortened(one.title, max(LEAST_TITLE, room - LEAST_BAR))
    bar = min(BAR, room - cell_len(title))
    full = bar * min(one.done, one.total) // max(1, one.total) if bar >= LEAST_BAR else 0
    row = Text(f"{title} ")
    if bar >= LEAST_BAR:
        row.append(FULL * full, "bar.complete")
        row.append(EMPTY * (bar - full), "bar.back")
    return row.append_text(tail)


def _share(one: Shown) -> str:
    return f"{min(100, 100 * one.done // max(1, one.total))}%"


def clock(seconds: float | None) -> str:
    """`0:12`, `59:59`, `1:02:03`, and `-:--` where it is not known."""
    if seconds is None:
        return "-:--"
    minutes, rest = divmod(max(0, round(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    if hours > 9:
        return f"{hours} h {minutes:02}"[:CLOCK]
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def shortened(title: str, width: int) -> str:
    """The title in so many columns; of its longest parts, the middles are left out first.

    Its parts are what stands between commas and colons: `student, elsewh…dam, ResNet-8: distill`.
    """
    pieces = SEPARATORS.split(title)
    kept = [len(piece) for piece in pieces]
    while cell_len(told := "".join(map(_cut, pieces, kept))) > width:
        longest = max(range(0, len(pieces), 2), key=lambda place: kept[place])
        if kept[longest] <= 3:  # nothing can be told of so many parts
            return next(cut for cut in _cuts(told) if cell_len(cut) <= width)
        kept[longest] -= 1
    return told


def _cuts(text: str) -> Iterator[str]:
    """Shorter and shorter, down to nothing."""
    return (_cut(text, count) for count in range(len(text), -1, -1))


def _cut(text: str, count: int) -> str:
    """So many of its characters, from both ends."""
    if len(text) <= count:
        return text
    tail = (count - 1) // 2
    return f"{text[: count - 1 - tail]}{LEFT_OUT}{text[len(text) - tail :]}" if count else ""
