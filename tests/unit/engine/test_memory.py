import os
import platform
import subprocess
import sys

import pytest

from understudy.engine import memory

STEPS = """
import resource, torch
from understudy.engine.memory import keep_freed_memory
{keep}
def step():
    kept = [torch.ones(2_000_000) for _ in range(20)]  # 160 MB, in blocks as activations have
    return sum(float(one[0]) for one in kept)
for _ in range(4):
    step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
step()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""

HANDED_BACK = {"MALLOC_MMAP_THRESHOLD_": "131072", "MALLOC_TRIM_THRESHOLD_": "131072"}
"""glibc's first thresholds, held: it moves them by itself, and not in every process alike."""


def faults(keep: str) -> int:
    """Pages that the system had to hand out again in a step; malloc is the process's own."""
    told = subprocess.run(
        [sys.executable, "-c", STEPS.format(keep=keep)],
        env={**os.environ, **HANDED_BACK},
        capture_output=True,
        text=True,
        check=True,
    )
    return int(told.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")
def test_a_step_takes_again_what_the_last_one_freed() -> None:
    without, kept = faults(""), faults("keep_freed_memory()")

    assert without > 1000
    assert kept < without / 10


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")
@pytest.mark.parametrize(("refused", "asked"), [({1 << 30}, 3), ({1 << 30, 1 << 25}, 2)])
def test_a_library_that_refuses_a_threshold_is_not_left_halfway(
    refused: set[int], asked: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The trim threshold alone doubled the time of a step; older versions refuse large blocks."""
    calls: list[tuple[int, int]] = []

    class Library:
        @staticmethod
        def mallopt(which: int, value: int) -> int:
            calls.append((which, value))
            return int(value not in refused)

    monkeypatch.setattr("ctypes.CDLL", lambda _: Library)

    memory.keep_freed_memory()

    assert len(calls) == asked
    trimmed = [which for which, _ in calls if which == memory.M_TRIM_THRESHOLD]
    assert len(trimmed) == asked - 2
