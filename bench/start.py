"""What a person waits before the first word: each command beside a bare import of torch.

Run with `python -m bench.start`. Wall time of a new process, each side in turn; compiled Python
files lie in a folder of their own, written by a first round that does not count.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence

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
        note=f"seconds of a new process, median of {ROUNDS} after a first one that does not count, "
        "beside `import torch` alone.",
        head=("understudy ...", "seconds", "import torch", "ratio"),
        rows=_rows(),
    )


def _rows() -> Iterator[tuple[str, ...]]:
    with tempfile.TemporaryDirectory() as cache:
        kept = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        surrounding = kept | {"PYTHONPYCACHEPREFIX": cache}
        for words in COMMANDS:
            command = [*UNDERSTUDY, *words]
            _seconds(command, surrounding), _seconds(TORCH, surrounding)
            ours, torchs = [], []
            for _ in range(ROUNDS):
                ours.append(_seconds(command, surrounding))
                torchs.append(_seconds(TORCH, surrounding))
            we, they = statistics.median(ours), statistics.median(torchs)
            yield " ".join(words), f"{we:.2f}", f"{they:.2f}", f"{we / they:.2f}"


def _seconds(command: Sequence[str], surrounding: Mapping[str, str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, env=surrounding)
    return time.perf_counter() - began


if __name__ == "__main__":
    shown(table())
