"""Which progress suits where stderr leads, and how much it is to tell."""

import os
from types import TracebackType
from typing import Self, TextIO

from understudy.cli.log_lines import LineProgress
from understudy.cli.loudness import Loudness
from understudy.cli.plain_text import plain
from understudy.cli.screen import ScreenProgress
from understudy.core.interrupts import Interrupts, leave_process
from understudy.core.progress import Silent


def progress_on(
    stream: TextIO, loudness: Loudness = Loudness.NORMAL
) -> "ScreenProgress | LineProgress | Quiet":
    """Bars on a terminal that a person watches; lines in a pipe, a file or CI."""
    if loudness is Loudness.QUIET:
        return Quiet(stream)
    verbose = loudness is Loudness.VERBOSE
    is_watched = stream.isatty() and not os.environ.get("CI") and os.environ.get("TERM") != "dumb"
    if is_watched:
        return ScreenProgress(stream, verbose=verbose)
    return LineProgress(stream, verbose=verbose)


def interrupts_beside(progress: "ScreenProgress | LineProgress | Quiet") -> Interrupts:
    """Signals of which a second one ends the process, with the terminal as it was before."""
    if not isinstance(progress, ScreenProgress):
        return Interrupts()

    def insisted(number: int) -> None:
        progress.abandon()
        leave_process(number)

    return Interrupts(insisted)


class Quiet(Silent):
    """Tells nothing but warnings.

    Args:
        stream: Where to write them.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def warn(self, text: str) -> None:
        """Writes a line."""
        self._stream.write(f"{plain(text)}\n")
        self._stream.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Has nothing to take away."""
