"""One process at a time in a place, and whether one is there."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, SoftFileLease, Timeout

from understudy.core.errors import UsageError
from understudy.core.files import storage_errors

LOCK, OWNER = ".lock", ".owner"
"""Files of a folder that one process works in."""
LEASE = 60.0  # seconds without a sign of life; a disk over a network may be slow for some of them
SIGN = 10.0  # seconds between two signs of life


class Claim:
    """A folder for one process, on this machine and on all others that see the same disk.

    On a machine the system's lock tells, which it takes from a process that is killed. It does not
    reach others on every disk, so a file names the owner too: by machine, process and start, and by
    a sign of life every few seconds. An owner that is gone from this machine is known at once, one
    of another machine when its signs stay away.

    Args:
        folder: Which; it must exist when it is taken.
    """

    def __init__(self, folder: Path) -> None:
        self._owner = folder / OWNER
        self._here = FileLock(folder / LOCK, timeout=0)
        self._everywhere = SoftFileLease(self._owner, lease_duration=LEASE, heartbeat_interval=SIGN)

    def take(self) -> bool:
        """Takes the folder; may wait for a sign of life of another machine.

        Returns:
            Whether it could: not where another process works there.
        """
        before = _changed(self._owner)
        try:
            self._here.acquire()
            self._everywhere.acquire(
                timeout=LEASE + SIGN,
                cancel_check=lambda: _changed(self._owner) not in (None, before),
            )
        except Timeout:
            self.release()
            return False
        except BaseException:
            self.release()
            raise
        return True

    def release(self) -> None:
        """Lets others have it."""
        self._everywhere.release()
        self._here.release()


def is_claimed(folder: Path) -> bool:
    """Whether a process of any machine works in a folder; the answer may be old at once."""
    if is_held(folder / LOCK):
        return True
    owner = folder / OWNER
    if owner.is_symlink() or (changed := _changed(owner)) is None:
        return False
    probe = SoftFileLease(owner, lease_duration=LEASE, heartbeat_interval=SIGN)
    with suppress(OSError):
        try:
            probe.acquire(timeout=0.1)  # of a process that is gone from here: free
        except Timeout:
            return time.time() - changed / 1e9 < 2 * LEASE
        probe.release()
    return False


def _changed(path: Path) -> int | None:
    try:
        return path.lstat().st_mtime_ns
    except OSError:
        return None


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
