"""How much memory there is."""

import mmap
import sys
from pathlib import Path

import pytest

from understudy.core.memory import free_memory, own_memory

KB, MB, GB = 1 << 10, 1 << 20, 1 << 30
linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


MACHINE = {"proc/meminfo": f"MemTotal: {8 * GB // KB} kB\nMemAvailable:   {5 * GB // KB} kB\n"}
SECOND = "sys/fs/cgroup/job/step/"
FIRST = "sys/fs/cgroup/memory/job/"


def test_without_groups_it_is_what_the_machine_has(tmp_path: Path) -> None:
    write(tmp_path, MACHINE)

    assert free_memory(tmp_path) == 5 * GB


@pytest.mark.parametrize(
    ("files", "free"),
    [
        ({"memory.max": f"{3 * GB}", "memory.current": f"{2 * GB}"}, 1 * GB),
        (
            {
                "memory.max": f"{3 * GB}",
                "memory.current": f"{2 * GB}",
                "memory.stat": f"anon {GB}\nfile 9\ninactive_file {MB}\nactive_file {2 * MB}\n",
            },
            1 * GB + 3 * MB,
        ),
        ({"memory.max": "max", "memory.current": f"{2 * GB}"}, 5 * GB),
        ({"memory.max": f"{GB}", "memory.current": f"{2 * GB}"}, 0),
        ({"memory.max": f"{90 * GB}", "memory.current": f"{2 * GB}"}, 5 * GB),
    ],
    ids=["what is left", "copies of files give way", "no limit", "over it", "more than there is"],
)
def test_a_group_that_holds_us_leaves_what_it_leaves(
    files: dict[str, str], free: int, tmp_path: Path
) -> None:
    write(tmp_path, {**MACHINE, "proc/self/cgroup": "0::/job/step\n"})
    write(tmp_path, {SECOND + name: text for name, text in files.items()})

    assert free_memory(tmp_path) == free


def test_the_narrowest_of_nested_groups_decides(tmp_path: Path) -> None:
    write(tmp_path, {**MACHINE, "proc/self/cgroup": "0::/job/step\n"})
    write(tmp_path, {SECOND + "memory.max": "max", SECOND + "memory.current": "7"})
    outer = {"memory.max": f"{3 * GB}", "memory.current": f"{GB}"}
    write(tmp_path, {f"sys/fs/cgroup/job/{name}": text for name, text in outer.items()})

    assert free_memory(tmp_path) == 2 * GB


def test_the_first_version_of_groups_has_other_names(tmp_path: Path) -> None:
    write(tmp_path, {**MACHINE, "proc/self/cgroup": "5:cpu,cpuacct:/other\n4:memory:/job\n0::/\n"})
    limits = {"memory.limit_in_bytes": f"{3 * GB}", "memory.usage_in_bytes": f"{2 * GB}"}
    files = f"total_inactive_file {MB}\ntotal_active_file {MB}\ntotal_cache {9 * GB}\n"
    write(tmp_path, {FIRST + name: text for name, text in limits.items()})
    write(tmp_path, {FIRST + "memory.stat": files})

    assert free_memory(tmp_path) == 1 * GB + 2 * MB


def test_where_nothing_tells_it_is_not_known(tmp_path: Path) -> None:
    assert free_memory(tmp_path) is None
    write(tmp_path, {"proc/self/cgroup": "0::/job/step\n", SECOND + "memory.max": f"{GB}"})
    assert free_memory(tmp_path) is None


@linux
def test_this_machine_tells_and_has_some() -> None:
    assert (free_memory() or 0) > 0


@linux
def test_a_mapped_file_is_nobodys_own(tmp_path: Path) -> None:
    size = 64 * MB
    (tmp_path / "pack").write_bytes(bytes(size))
    before = own_memory() or 0
    with (tmp_path / "pack").open("rb") as file:
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    assert sum(mapped[:: mmap.PAGESIZE]) == 0  # each page is read
    with_file = own_memory() or 0
    # not malloc's: where a training was before, that gives what is freed and still ours
    held = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    for page in range(0, size, mmap.PAGESIZE):
        held[page] = 1

    assert with_file - before < size // 4
    assert (own_memory() or 0) - with_file > size * 3 // 4


def test_without_proc_it_is_the_most_that_there_ever_was(tmp_path: Path) -> None:
    pytest.importorskip("resource")

    assert (own_memory(tmp_path) or 0) > 10 * MB
