"""Every way to end: a message for people on one screen, and the exit code that scripts rely on."""

import os
import sys
import tempfile
import traceback
from collections.abc import Callable

from cyclopts import CycloptsError

from understudy.cli.plain_text import one_line, plain
from understudy.core.errors import InterruptedRunError, UnderstudyError

MOST_LINES = 40  # a screen; a recipe with more mistakes than that has one cause
USAGE, BUG, MEMORY, DISK, STOPPED, PIPE = 2, 1, 5, 6, 130, 141  # see core/errors.py; 128 + signal


def exit_code_of(work: Callable[[], int], *, debug: bool) -> int:
    """Runs the work and says on stderr what went wrong.

    Args:
        work: A command, arguments included; returns its exit code.
        debug: Show the traceback of every error, also of those that a user can cause.
    """
    try:
        code = work()
        sys.stdout.flush()
    except BrokenPipeError:
        _leave_the_pipe()
        return PIPE
    except (Exception, KeyboardInterrupt) as error:
        if debug:
            traceback.print_exc()
        message, code = _answer(error, debug=debug)
        complain(message)
    return code


def complain(message: str) -> None:
    """Prints an error, without anything that could move the cursor."""
    lines = plain(message).splitlines()
    if len(lines) > MOST_LINES:
        lines = [*lines[:MOST_LINES], f"  ... and {len(lines) - MOST_LINES} lines more"]
    print("error:", "\n".join(lines), file=sys.stderr, flush=True)


def _answer(error: BaseException, *, debug: bool) -> tuple[str, int]:
    if isinstance(error, UnderstudyError | InterruptedRunError):
        return str(error), error.exit_code
    if isinstance(error, CycloptsError):
        return str(error), USAGE
    if isinstance(error, KeyboardInterrupt):
        return "stopped; the same command continues.", STOPPED
    if _is_out_of_memory(error):
        return (
            f"out of memory: {_first_line(error)}. Everything saved is kept; "
            "a smaller `plan.batch_size` or a smaller network needs less.",
            MEMORY,
        )
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename else ""
        told = "What was finished is kept; --debug shows where it happened."
        return f"{where}{error.strerror}. {told}", DISK
    return _bug(error, debug=debug), BUG


def _is_out_of_memory(error: BaseException) -> bool:
    """Known by its name, so that torch need not be imported to ask."""
    allocator = isinstance(error, RuntimeError) and "can't allocate memory" in str(error)
    return isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError" or allocator


def _bug(error: BaseException, *, debug: bool) -> str:
    what = f"{type(error).__name__}: {_first_line(error)}"
    if debug:
        return f"a bug in understudy: {what}"
    try:
        with tempfile.NamedTemporaryFile(
            "w",
            prefix="understudy-",
            suffix=".txt",
            delete=False,
            encoding="utf-8",
            errors="replace",
        ) as stream:
            stream.write("".join(traceback.format_exception(error)))
    except OSError:
        traceback.print_exc()
        return f"a bug in understudy: {what}"
    return f"a bug in understudy: {what} (traceback in {stream.name}; please report it)"


def _first_line(error: BaseException) -> str:
    text = one_line(str(error).split("\n")[0])
    return text if len(text) <= 200 else f"{text[:197]}..."


def _leave_the_pipe() -> None:
    """Nobody reads any more: lets Python's own flush at exit go to nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
