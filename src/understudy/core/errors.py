"""Errors for people, each with the exit code that scripts and schedulers may rely on."""

import signal


class UnderstudyError(Exception):
    """Base of every error that a user can cause or meet; its text is the whole message."""

    exit_code: int = 1


class UsageError(UnderstudyError):
    """Something asked for is wrong: a command, a setting, a name, a folder."""

    exit_code = 2


class BusyError(UsageError):
    """Another process works on what was asked for; it may be done in a while."""


class DataError(UnderstudyError):
    """The images or labels cannot serve as asked."""

    exit_code = 3


class DivergedError(UnderstudyError):
    """A training left the finite numbers; no weight was changed by the steps that did."""

    exit_code = 4


class MemoryExhaustedError(UnderstudyError):
    """The device or the machine has too little memory for what was asked."""

    exit_code = 5


class StorageError(UnderstudyError):
    """The disk refused: full, read-only, or holding damaged files."""

    exit_code = 6


class MissingResourceError(UnderstudyError):
    """A device or an optional library that was asked for is not here."""

    exit_code = 7


PREEMPTED = 75  # EX_TEMPFAIL of sysexits.h: try again later


def exit_code_of(signal_number: int) -> int:
    """128 plus the signal, as shells report it; `PREEMPTED` for SIGUSR1, which schedulers send."""
    preempted = signal_number == getattr(signal, "SIGUSR1", None)
    return PREEMPTED if preempted else 128 + signal_number


class InterruptedRunError(KeyboardInterrupt):
    """A signal asked the work to stop; everything is saved and the same command continues.

    A signal may come inside any library, and many of them, as some lines of ours, take whatever
    `Exception` there is for the fault of an image, a model or a network; so this is none.

    Args:
        message: What was saved and how to go on.
        signal_number: The signal, which decides the exit code.
    """

    def __init__(self, message: str, signal_number: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code_of(signal_number)
