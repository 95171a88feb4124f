"""Whether another process works somewhere, asked without taking the place away from it."""

from pathlib import Path

from filelock import FileLock, Timeout


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
