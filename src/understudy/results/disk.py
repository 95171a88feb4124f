"""How much room things take on the disk, and when they last changed."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

BLOCK = 512  # bytes of `st_blocks`, on every system that has it


class Use(NamedTuple):
    """What a file or a folder takes."""

    bytes: int
    """On the disk; what links lead to is not counted."""
    changed: float
    """Seconds since 1970 of the newest change; 0 where nothing can be read."""


def disk_use(path: Path) -> Use:
    """The room of a file, or of a folder with all that lies inside."""
    found = list(_stats(path))
    return Use(sum(map(_room, found)), max((one.st_mtime for one in found), default=0.0))


def _stats(path: Path) -> Iterator[os.stat_result]:
    try:
        own = path.lstat()
        inside = list(path.iterdir()) if path.is_dir() and not path.is_symlink() else []
    except OSError:  # gone in the meantime, or not ours to read
        return
    yield own
    for entry in inside:
        yield from _stats(entry)


def _room(stat: os.stat_result) -> int:
    blocks: int | None = getattr(stat, "st_blocks", None)
    return stat.st_size if blocks is None else blocks * BLOCK
