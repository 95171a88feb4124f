"""Progress on a terminal: a bar with the remaining time for each piece of work under way."""

from types import TracebackType
from typing import Self, TextIO

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Column

from understudy.cli.plain_text import duration, one_line


class ScreenProgress:
    """Bars that move; what is done leaves one line. Pieces of work may lie inside each other.

    Args:
        stream: The terminal.
    """

    def __init__(self, stream: TextIO) -> None:
        self._console = Console(file=stream, markup=False, highlight=False, emoji=False)
        self._bars = Progress(
            TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True)),
            BarColumn(bar_width=None),
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
        if not self._under_way:
            self._bars.stop()

    def say(self, text: str) -> None:
        """Writes a line above the bars."""
        self._bars.refresh()  # else the bars below the line are those of a moment ago
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)

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
