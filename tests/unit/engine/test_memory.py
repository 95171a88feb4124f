import platform
import subprocess
import sys

import pytest

STEPS = """
import resource, torch
from understudy.engine.memory import keep_freed_memory
{keep}
def step():
    kept = [torch.ones(2_000_000) for _ in range(20)]  # 160 MB, in blocks as activations have
    return sum(float(one[0]) for one in kept)
step(), step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
step()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(keep: str) -> int:
    """Pages that the system had to hand out again in a step; malloc is the process's own."""
    told = subprocess.run(
        [sys.executable, "-c", STEPS.format(keep=keep)], capture_output=True, text=True, check=True
    )
    return int(told.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")
def test_a_step_takes_again_what_the_last_one_freed() -> None:
    without, kept = faults(""), faults("keep_freed_memory()")

    assert without > 1000
    assert kept < without / 10
