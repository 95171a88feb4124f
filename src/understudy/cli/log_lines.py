"""Progress where nobody watches a screen: a line now and then, for a pipe, a file or CI."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self, TextIO

from understudy.cli.plain_text import duration, one_line, plain

SECONDS_BETWEEN = 10.0  # often enough to see that it lives, rare enough for a log


@dataclass
class _Work:
    title: str
    total: int
    began: float
    done: int = 0
    found: int = 0
    """Units of an earlier attempt, told at once in the beginning: they say nothing of speed."""


class LineProgress:
    """Writes a line when a piece of work ends, and at most one in ten seconds before.

    Args:
        stream: Where to write.
        clock: Seconds from any origin, never going back.
        verbose: Whether details are written.
    """

    def __init__(
        self,
        stream: TextIO,
        clock: Callable[[], float] = time.monotonic,
        *,
        verbose: bool = False,
    ) -> None:
        self._stream, self._clock, self._verbose = stream, clock, verbose
        self._under_way: list[_Work] = []
        self._written = clock()

    def begin(self, title: str, total: int) -> None:
        """Starts a piece of work of `total` units."""
        self._under_way.append(_Work(one_line(title), total, began=self._clock()))

    def advance(self, count: int = 1, note: str = "") -> None:
        """Reports further units done; written where the last line is long ago."""
        if not self._under_way:
            return
        work = self._under_way[-1]
        if not work.done and count > 1:
            work.found = count
        work.done += count
        if self._clock() - self._written >= SECONDS_BETWEEN:
            self._write(f"{work.title}: {self._state(work)}", note)

    def end(self, note: str = "") -> None:
        """Closes the piece of work with a line."""
        if self._under_way:
            work = self._under_way.pop()
            self._write(f"{work.title}: done in {duration(self._clock() - work.began)}", note)

    def say(self, text: str) -> None:
        """Writes a line."""
        self._stream.write(f"{plain(text)}\n")
        self._stream.flush()
        self._written = self._clock()

    def warn(self, text: str) -> None:
        """Writes a line."""
        self.say(text)

    def detail(self, text: str) -> None:
        """Writes lines where all are asked for."""
        if self._verbose:
            self.say(text)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Has nothing to take away."""

    def _state(self, work: _Work) -> str:
        share = f"{work.done:,} of {work.total:,}"
        now = work.done - work.found
        if now <= 0 or work.done > work.total:
            return share
        left = (self._clock() - work.began) * (work.total - work.done) / now
        return f"{share} ({100 * work.done // work.total} %), {duration(left)} left"

    def _write(self, text: str, note: str) -> None:
        self.say(f"{text}, {one_line(note)}" if note else text)
