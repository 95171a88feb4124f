"""Progress on a terminal: a line with the remaining time for each piece of work under way."""

import copy
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self, TextIO

from rich.cells import cell_len
from rich.console import Console, Group
from rich.live import Live

from understudy.cli.bars import ASCII, Shown, lines, shortened
from understudy.cli.plain_text import duration, one_line, plain, wrapped
from understudy.core.pace import Pace

SHOW_CURSOR = b"\x1b[?25h\r\n"  # bars hide it
A_SECOND = 10  # pictures


@dataclass
class _Work:
    title: str
    began: float
    pace: Pace
    note: str = ""
    is_whole: bool = False

    def shown(self) -> Shown:
        pace = self.pace
        left = pace.seconds_left
        return Shown(self.title, self.note, pace.done, pace.total, left, self.is_whole)


@dataclass(eq=False)
class _Line:
    """One trial, or all that goes on alone."""

    title: str = ""
    """Of a trial, shown before and between its pieces of work too."""
    works: list[_Work] = field(default_factory=list)
    """Each inside the one before."""


class _View:
    """Everything under way, as lines below what has been said."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.root = _Line()
        self.trials: list[_Line] = []
        self.live = Live(
            console=console,
            get_renderable=self._drawn,
            refresh_per_second=A_SECOND,
            transient=True,
        )

    def settle(self) -> None:
        """Begins or ends to draw, as there is something to be shown or not."""
        if self.root.works or self.trials:
            self.live.start()
        else:
            self.live.stop()

    def _drawn(self) -> Group:
        width, height = self.console.size
        trials = list(self._trials())
        others = [work.shown() for work in list(self.root.works)]
        drawn = lines(trials, others, width=width, height=height)
        for row in drawn:
            row.plain = self.written(row.plain)
        return Group(*drawn)

    def written(self, text: str) -> str:
        """In characters that the terminal has."""
        return text.translate(ASCII) if self.console.options.ascii_only else text

    def _trials(self) -> Iterator[Shown]:
        for trial in list(self.trials):  # another thread draws
            works = list(trial.works)
            if works or trial.title:
                yield works[-1].shown() if works else Shown(trial.title)


class ScreenProgress:
    """Lines that move; what is done leaves one that stays. Pieces of work may enclose others.

    Args:
        stream: The terminal.
        verbose: Whether details are shown.
    """

    has_bars = True

    def __init__(self, stream: TextIO, *, verbose: bool = False) -> None:
        self._verbose = verbose
        self._view = _View(Console(file=stream, markup=False, highlight=False, emoji=False))
        self._line = self._view.root

    def begin(self, title: str, total: int) -> None:
        """Shows a piece of work of `total` units."""
        self._line.works.append(_Work(one_line(title), time.monotonic(), Pace(total)))
        self._view.settle()

    def advance(self, count: int = 1, note: str = "") -> None:
        """Moves the innermost piece of work; `note` stands behind it."""
        if not self._line.works:
            return
        work = self._line.works[-1]
        work.pace.advance(count)
        work.note = one_line(note) or work.note

    def end(self, note: str = "") -> None:
        """Replaces the innermost piece of work by a line that stays."""
        if not self._line.works:
            return
        work = self._line.works.pop()
        taken = duration(time.monotonic() - work.began)
        told = "".join(f"  {part}" for part in (one_line(note), taken) if part)
        room = self._view.console.width - cell_len(told)
        self.say(self._view.written(shortened(work.title, max(room, 1))) + told)
        self._view.settle()

    def beside(self, title: str = "") -> "ScreenProgress":
        """A line among the others, for work that goes on at the same time."""
        if self._line.works:
            self._line.works[-1].is_whole = True
        other = copy.copy(self)
        other._line = _Line(one_line(title))
        self._view.trials.append(other._line)
        self._view.settle()
        return other

    def clear(self) -> None:
        """Takes the lines of what has not ended away."""
        self._line.works.clear()
        if self._line in self._view.trials:
            self._view.trials.remove(self._line)
        self._view.settle()

    def say(self, text: str) -> None:
        """Writes lines above the others; what is too long goes on below, between words."""
        if self._view.live.is_started:
            self._view.live.refresh()  # else those below the line are those of a moment ago
        width = self._view.console.width
        lines = [
            part
            for line in plain(text).split("\n")
            for part in ([line] if cell_len(line) <= width else _parts(line, width))
        ]
        told = "\n".join(lines)
        self._view.console.print(told, markup=False, highlight=False, soft_wrap=True)

    def warn(self, text: str) -> None:
        """Shows a line."""
        self.say(text)

    def detail(self, text: str) -> None:
        """Shows lines where all are asked for."""
        if self._verbose:
            self.say(text)

    def abandon(self) -> None:
        """Gives the cursor back and nothing else: whatever a signal interrupted may hold locks."""
        os.write(self._view.console.file.fileno(), SHOW_CURSOR)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Takes the lines away, so that an error stands on a clean screen."""
        self._view.live.stop()


def _parts(line: str, width: int) -> list[str]:
    """A path that is too long stays in one piece, so that it can be copied."""
    indent = line[: len(line) - len(line.lstrip())]
    return wrapped(line.lstrip(), first=indent, indent=f"{indent}  ", width=width)
