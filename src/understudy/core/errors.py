"""Errors for people, each with the exit code that scripts and schedulers may rely on."""


class UnderstudyError(Exception):
    """Base of every error that a user can cause or meet; its text is the whole message."""

    exit_code: int = 1


class UsageError(UnderstudyError):
    """Something asked for is wrong: a command, a setting, a name, a folder."""

    exit_code = 2


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


class InterruptedRunError(UnderstudyError):
    """A signal asked the training to stop; everything is saved and the same command continues.

    Args:
        message: What was saved and how to go on.
        signal_number: The signal; the exit code is 128 plus it, as shells report it.
    """

    def __init__(self, message: str, signal_number: int) -> None:
        super().__init__(message)
        self.exit_code = 128 + signal_number
