"""How much memory this process has for itself, and how much more could be taken."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path("/")


def own_memory(root: Path = ROOT) -> int | None:
    """Bytes that this process alone holds now; None where the system does not tell.

    Files that are mapped are left out: programs and packs lie in memory once for all processes, and
    give way. Where there is no /proc, it is the most that the process ever had, files among it.

    Args:
        root: Where the system's files lie.
    """
    status = _text(root / "proc/self/status")
    kinds = [_kilobytes(status, name) for name in ("RssAnon", "RssShmem")]
    known = [kind for kind in kinds if kind is not None]
    return sum(known) if known else _most_ever()


def free_memory(root: Path = ROOT) -> int | None:
    """Bytes that could be taken before anything is killed for it; None where that is not known.

    That is what the machine has, or what is left to us by a control group: a container's, or that
    of a job on a cluster. Copies of files count as free, for they give way.

    Args:
        root: Where the system's files lie.
    """
    machine = _kilobytes(_text(root / "proc/meminfo"), "MemAvailable")
    if machine is None:
        return None
    return max(0, min([machine, *_left_by_groups(root)]))


class _Names(NamedTuple):
    """Where a version of control groups keeps its numbers."""

    place: str
    most: str
    taken: str
    files: tuple[str, ...]


_VERSIONS = {
    False: _Names(
        "sys/fs/cgroup", "memory.max", "memory.current", ("inactive_file", "active_file")
    ),
    True: _Names(
        "sys/fs/cgroup/memory",
        "memory.limit_in_bytes",
        "memory.usage_in_bytes",
        ("total_inactive_file", "total_active_file"),
    ),
}
"""By whether it is the first version, where memory has a tree of its own."""


def _left_by_groups(root: Path) -> Iterator[int]:
    """What each group that holds us leaves, from its own to the outermost that can be seen."""
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, kinds, path = line.split(":", 2)
        if kinds and "memory" not in kinds.split(","):
            continue
        names = _VERSIONS[bool(kinds)]
        top = root / names.place
        place = top / path.strip("/")
        for group in [place, *place.parents]:
            if not group.is_relative_to(top):
                break
            most, taken = _text(group / names.most).strip(), _text(group / names.taken).strip()
            if most.isdecimal() and taken.isdecimal():  # else it sets no limit: `max`
                yield int(most) - int(taken) + _given_way(_text(group / "memory.stat"), names.files)


def _given_way(statistics: str, names: tuple[str, ...]) -> int:
    pairs = (line.split() for line in statistics.splitlines())
    return sum(int(pair[1]) for pair in pairs if pair[0] in names)


def _kilobytes(text: str, name: str) -> int | None:
    """`name:  12 kB`, in bytes."""
    found = (line.split() for line in text.splitlines() if line.startswith(f"{name}:"))
    return next((1024 * int(words[1]) for words in found), None)


def _text(path: Path) -> str:
    """Empty where it cannot be read."""
    try:
        return path.read_text()
    except OSError:
        return ""


def _most_ever() -> int | None:
    try:
        import resource
    except ImportError:  # Windows
        return None
    unit = 1 if sys.platform == "darwin" else 1024
    return unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
