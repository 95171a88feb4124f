"""Progress on a terminal: a bar with the remaining time for each piece of work under way."""

import copy
import os
from collections.abc import Iterator
from types import TracebackType
from typing import Self, TextIO

from rich.console import Console, RenderableType
from rich.progress import (
    BarColumn,
    Progress,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Column
from rich.text import Text

from understudy.cli.plain_text import duration, one_line, plain

SHOW_CURSOR = b"\x1b[?25h\r\n"  # bars hide it
BAR = 24  # of 80 columns: a note with the time of the whole study has room behind it


class _Bars(Progress):
    """Two lines for each piece of work: its title, and below it the bar with its note."""

    def get_renderables(self) -> Iterator[RenderableType]:
        """The lines of all work under way."""
        for task in self.tasks:
            yield Text(task.description, no_wrap=True, overflow="ellipsis")
            yield self.make_tasks_table([task])


class ScreenProgress:
    """Bars that move; what is done leaves one line. Pieces of work may lie inside each other.

    Args:
        stream: The terminal.
        verbose: Whether details are shown.
    """

    def __init__(self, stream: TextIO, *, verbose: bool = False) -> None:
        self._verbose = verbose
        self._console = Console(file=stream, markup=False, highlight=False, emoji=False)
        self._bars = _Bars(
            BarColumn(bar_width=BAR),
            TaskProgressColumn(),
            TimeRemainingColumn(compact=True),
            TextColumn("{task.fields[note]}", markup=False, table_column=Column(no_wrap=True)),
            console=self._console,
            transient=True,
        )
        self._under_way: list[tuple[TaskID, str]] = []

    def begin(self, title: str, total: int) -> None:
        """Shows a bar of `total` units."""
        title = one_line(title)
        self._bars.start()
        self._under_way.append((self._bars.add_task(title, total=total, note=""), title))

    def advance(self, count: int = 1, note: str = "") -> None:
        """Moves the innermost bar; `note` stands behind it."""
        if not self._under_way:
            return
        task, _ = self._under_way[-1]
        self._bars.update(task, advance=count)
        if note:
            self._bars.update(task, note=one_line(note))

    def end(self, note: str = "") -> None:
        """Replaces the innermost bar by a line that stays."""
        if not self._under_way:
            return
        task, title = self._under_way.pop()
        taken = next((t.elapsed for t in self._bars.tasks if t.id == task), None) or 0.0
        self._bars.remove_task(task)
        self.say("  ".join(part for part in (title, one_line(note), duration(taken)) if part))
        self._stop_if_idle()

    def beside(self) -> "ScreenProgress":
        """Bars among the same bars."""
        other = copy.copy(self)
        other._under_way = []
        return other

    def clear(self) -> None:
        """Takes the bars of what has not ended away."""
        while self._under_way:
            self._bars.remove_task(self._under_way.pop()[0])
        self._stop_if_idle()

    def _stop_if_idle(self) -> None:
        if not self._bars.tasks:
            self._bars.stop()

    def say(self, text: str) -> None:
        """Writes a line above the bars."""
        self._bars.refresh()  # else the bars below the line are those of a moment ago
        self._console.print(plain(text), markup=False, highlight=False, soft_wrap=True)

    def warn(self, text: str) -> None:
        """Shows a line."""
        self.say(text)

    def detail(self, text: str) -> None:
        """Shows lines where all are asked for."""
        if self._verbose:
            self.say(text)

    def abandon(self) -> None:
        """Gives the cursor back and nothing else: whatever a signal interrupted may hold locks."""
        os.write(self._console.file.fileno(), SHOW_CURSOR)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Takes the bars away, so that an error stands on a clean screen."""
        self._bars.stop()
