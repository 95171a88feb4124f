"""Signals to stop: finish the step, save, leave; a second one leaves at once."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from understudy.core.errors import InterruptedRunError, exit_code_of

# SIGUSR1 is what clusters send some time before they take a machine away; Windows has none.
HANDLED = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGUSR1") if hasattr(signal, name)
)


class Interrupts:
    """Remembers the first signal; work that can save asks for it, other work is left at once."""

    def __init__(self) -> None:
        self.received: int | None = None
        self._deferring = False

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Handles the signals while inside; the handlers before it return afterwards."""
        before = {number: signal.signal(number, self._handle) for number in HANDLED}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    @contextmanager
    def deferred(self) -> Iterator[None]:
        """Keeps a signal waiting while inside: the loop asks `received` after every step."""
        self._deferring = True
        try:
            yield
        finally:
            self._deferring = False

    def _handle(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - the protocol
        if self.received is not None:
            sys.stderr.flush()
            os._exit(exit_code_of(number))  # the user insists; what is on disk is whole
        self.received = number
        if not self._deferring:
            raise stopped(number)


def stopped(number: int) -> InterruptedRunError:
    """The error with which a run leaves after a signal."""
    name = signal.Signals(number).name
    return InterruptedRunError(f"Stopped by {name}; the same command continues.", number)
