"""Signals to stop: finish the step, save, leave; a second one leaves at once."""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from understudy.core.errors import InterruptedRunError, exit_code_of

# SIGUSR1 is what clusters send some time before they take a machine away; Windows has none.
HANDLED = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGUSR1") if hasattr(signal, name)
)


def leave_process(number: int) -> None:
    """Ends the process: the user insists, and what is on disk is whole."""
    with suppress(RuntimeError, OSError):  # the signal may have come in the middle of a write
        sys.stderr.flush()
    os._exit(exit_code_of(number))


def leave_work(number: int) -> None:
    """Ends the work alone, for a process that holds more than ours: a notebook.

    Raises:
        InterruptedRunError: Always.
    """
    raise stopped(number)


class Interrupts:
    """Remembers the first signal; work that can save asks for it, other work is left at once.

    Args:
        insisted: What a second signal does.
    """

    def __init__(self, insisted: Callable[[int], None] = leave_process) -> None:
        self.received: int | None = None
        self._insisted = insisted
        self._deferring = False

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Handles the signals while inside; the handlers before it return afterwards.

        Python lets the main thread alone handle signals. In another one nothing is changed: whoever
        started the thread decides what a signal means.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
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
            self._insisted(number)
        self.received = number
        if not self._deferring:
            raise stopped(number)


@contextmanager
def held_back() -> Iterator[None]:
    """Lets signals wait while inside, also in a process that is started there.

    A new process of Python answers a signal with a traceback until it has set its own handlers;
    then it calls `let_through`.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, HANDLED)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def let_through() -> None:
    """Ends the waiting of signals with which a process was started."""
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, HANDLED)


def stopped(number: int) -> InterruptedRunError:
    """The error with which a run leaves after a signal."""
    name = signal.Signals(number).name
    return InterruptedRunError(f"Stopped by {name}; the same command continues.", number)
