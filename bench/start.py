"""What a person waits before the first word: each command beside a bare import of torch.

Run with `python -m bench.start`. Wall time of a new process, each side in turn.
"""

import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence

from bench.table import Table, shown

ROUNDS = 5
UNDERSTUDY = (sys.executable, "-m", "understudy")
COMMANDS = (
    ("--help",),
    ("train", "--help"),
    ("run", "digits", "--help"),
    ("run", "digits", "--dry-run"),
    ("list", "studies"),
)
TORCH = (sys.executable, "-c", "import torch")


def table() -> Table:
    """Seconds of commands that compute nothing."""
    return Table(
        title="Start",
        command="python -m bench.start",
        note=f"seconds of a new process, median of {ROUNDS}, beside `import torch` alone.",
        head=("understudy ...", "seconds", "import torch", "ratio"),
        rows=_rows(),
    )


def _rows() -> Iterator[tuple[str, ...]]:
    for words in COMMANDS:
        ours, torchs = [], []
        for _ in range(ROUNDS):
            ours.append(_seconds([*UNDERSTUDY, *words]))
            torchs.append(_seconds(TORCH))
        we, they = statistics.median(ours), statistics.median(torchs)
        yield " ".join(words), f"{we:.2f}", f"{they:.2f}", f"{we / they:.2f}"


def _seconds(command: Sequence[str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - began


if __name__ == "__main__":
    shown(table())
