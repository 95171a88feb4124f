"""What a process that does runs tells the one that asked for them."""

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple, Protocol

from understudy.core.progress import Progress
from understudy.studies.executors.executor import Ended

SECONDS_BETWEEN = 0.2  # of two reports of steps: often enough for an eye, and nothing for a pipe


class Shown(NamedTuple):
    """Something to show: a method of `Progress`, and what it is given."""

    method: str
    values: tuple[Any, ...]

    def on(self, progress: Progress) -> None:
        """Shows it."""
        getattr(progress, self.method)(*self.values)


class Used(NamedTuple):
    """What the process takes, told whenever a run has ended."""

    memory: int | None
    """The most that it had for itself, in bytes; None where the system does not tell."""
    gpu: int = 0
    """The most of a GPU's memory, its context among it; 0 without a GPU."""
    gpu_free: int = 0
    """What of the GPU's memory all together may take, if this is the only process."""


class Stopped(NamedTuple):
    """A signal came; what was begun is saved."""


class Broken(NamedTuple):
    """A fault of ours, with its traceback."""

    trace: str


Message = Shown | Used | Ended | Stopped | Broken


class Sends(Protocol):
    """A way to another process."""

    def send(self, shown: Shown, /) -> None:
        """Sends something to show."""


class SentProgress:
    """Sends what a run shows to another process.

    Args:
        connection: Where to send it.
        clock: Seconds from any origin, never going back.
    """

    has_bars = False

    def __init__(self, connection: Sends, clock: Callable[[], float] = time.monotonic) -> None:
        self._connection, self._clock = connection, clock
        self._count, self._note = 0, ""
        self._next = 0.0

    def begin(self, title: str, total: int) -> None:
        """Sends the beginning of a piece of work."""
        self._flush()
        self._send("begin", title, total)
        self._next = 0.0  # its first units alone: they may be those of an earlier attempt

    def advance(self, count: int = 1, note: str = "") -> None:
        """Sends further units done, those of a short while together."""
        self._count, self._note = self._count + count, note or self._note
        if self._clock() >= self._next:
            self._flush()
            self._next = self._clock() + SECONDS_BETWEEN

    def end(self, note: str = "") -> None:
        """Sends the end of a piece of work."""
        self._flush()
        self._send("end", note)

    def say(self, text: str) -> None:
        """Sends a line."""
        self._send("say", text)

    def warn(self, text: str) -> None:
        """Sends a warning."""
        self._send("warn", text)

    def detail(self, text: str) -> None:
        """Sends details."""
        self._send("detail", text)

    def beside(self, title: str = "") -> Progress:  # noqa: ARG002 - whoever asked knows it
        """Everything goes to the same place."""
        return self

    def clear(self) -> None:
        """Sends that what has not ended is to be taken away."""
        self._send("clear")

    def _flush(self) -> None:
        if self._count:
            self._send("advance", self._count, self._note)
            self._count, self._note = 0, ""

    def _send(self, method: str, *values: Any) -> None:
        with suppress(ConnectionError):  # nobody watches any more; the signal that follows saves
            self._connection.send(Shown(method, values))
