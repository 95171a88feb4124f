"""Taking things away from the disk, so that what a kill leaves halfway is still told rightly."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from understudy.core.errors import UsageError
from understudy.core.files import storage_errors
from understudy.core.locks import LOCK, alone, is_claimed


def remove_run(path: Path) -> None:
    """Removes a run's directory, unless a process works in it.

    The summary goes first and the settings last: at every instant the run is either whole or an
    unfinished one that its command begins anew. What links lead to stays.

    Raises:
        UsageError: Another process works here, or it is a link.
        StorageError: The disk refuses.
    """
    if is_claimed(path):
        raise UsageError(f"{path}: another process is working on it.")
    with _taken(path, path / LOCK):
        (path / "summary.json").unlink(missing_ok=True)
        last = ("config.yaml", LOCK)
        for entry in path.iterdir():
            if entry.name not in last:
                _gone(entry)
        for name in last:
            (path / name).unlink(missing_ok=True)
        path.rmdir()


def remove_shared(path: Path, *, lock: Path | None) -> None:
    """Removes a file or a folder, unless a process holds its lock.

    Raises:
        UsageError: Another process works with it, or it is a link.
        StorageError: The disk refuses.
    """
    with _taken(path, lock):
        _gone(path)


@contextmanager
def _taken(path: Path, lock: Path | None) -> Iterator[None]:
    """Holds a place while it is removed."""
    if path.is_symlink():
        raise UsageError(f"{path}: a link; what it leads to is left alone.")
    with storage_errors(path), ExitStack() as held:
        if lock:
            held.enter_context(alone(lock, otherwise=f"{path}: another process is working on it."))
        yield


def _gone(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
