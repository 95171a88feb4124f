"""One process at a time in a place, and whether one is there."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from understudy.core.errors import UsageError
from understudy.core.files import storage_errors


@contextmanager
def alone(lock: Path, *, otherwise: str) -> Iterator[None]:
    """Holds a lock file while inside; that of a process that was killed is free.

    Args:
        lock: The file, made where it is missing.
        otherwise: What to say where another process holds it.

    Raises:
        UsageError: Another process holds it.
        StorageError: The disk refuses.
    """
    with storage_errors(lock):
        try:
            held = FileLock(lock).acquire(timeout=0)
        except Timeout as error:
            raise UsageError(otherwise) from error
    with held:
        yield


@contextmanager
def one_at_a_time(lock: Path, *, waiting: Callable[[], None]) -> Iterator[None]:
    """Holds a lock file while inside, after whoever holds it now.

    Args:
        lock: The file, made where it is missing.
        waiting: Called once where another process holds it: waiting may take long.
    """
    held = FileLock(lock)
    try:
        held.acquire(timeout=0)
    except Timeout:
        waiting()
        held.acquire()
    try:
        yield
    finally:
        held.release()


def is_held(lock: Path) -> bool:
    """Whether a process holds a lock file; one that may not be opened counts as free.

    The answer may be old at once: who removes something takes the lock itself.
    """
    if lock.is_symlink() or not lock.exists():
        return False
    probe = FileLock(lock, timeout=0)
    try:
        probe.acquire()
    except Timeout:
        return True
    except OSError:
        return False
    probe.release()
    return False
