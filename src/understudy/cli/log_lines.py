"""Progress where nobody watches a screen: a line now and then, for a pipe, a file or CI."""

import time
from collections.abc import Callable
from types import TracebackType
from typing import NamedTuple, Self, TextIO

from understudy.cli.plain_text import duration, one_line, plain
from understudy.core.pace import Pace

SECONDS_BETWEEN = 10.0  # often enough to see that it lives, rare enough for a log


class _Work(NamedTuple):
    title: str
    began: float
    pace: Pace


class LineProgress:
    """Writes a line when a piece of work ends, and at most one in ten seconds before.

    Args:
        stream: Where to write.
        clock: Seconds from any origin, never going back.
        verbose: Whether details are written.
    """

    has_bars = False

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
        self._under_way.append(_Work(one_line(title), self._clock(), Pace(total, self._clock)))

    def advance(self, count: int = 1, note: str = "") -> None:
        """Reports further units done; written where the last line is long ago."""
        if not self._under_way:
            return
        work = self._under_way[-1]
        work.pace.advance(count)
        if self._clock() - self._written >= SECONDS_BETWEEN:
            self._write(f"{work.title}: {_state(work.pace)}", note)

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

    def beside(self, title: str = "") -> "LineProgress":  # noqa: ARG002 - each line has its own
        """Lines among the same lines."""
        return LineProgress(self._stream, self._clock, verbose=self._verbose)

    def clear(self) -> None:
        """Forgets what has not ended."""
        self._under_way.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Has nothing to take away."""

    def _write(self, text: str, note: str) -> None:
        self.say(f"{text}, {one_line(note)}" if note else text)


def _state(pace: Pace) -> str:
    share = f"{pace.done:,} of {pace.total:,}"
    left = pace.seconds_left
    return (
        share
        if left is None
        else f"{share} ({100 * pace.done // pace.total} %), {duration(left)} left"
    )
