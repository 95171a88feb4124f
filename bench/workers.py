"""A study whose runs are done one after the other, beside several at once.

Run with `python -m bench.workers`. Wall time of `understudy run` with `--workers`, in turn, each
in an empty folder of runs: start, packing and reports are in it, for a user waits for them too.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench.table import Table, shown

ROUNDS = 2
SEEDS, STEPS = 4, 600  # a minute and a half on one core: starting a process takes some seconds
STUDY = {
    "title": "Equal trainings of a small network",
    "seeds": list(range(SEEDS)),
    "stages": {
        "student": {
            "stage": "train",
            "data": {"kind": "digits"},
            "size": 32,
            "labels": {"per_class": 60, "validation_per_class": 10},
            "backbone": {"kind": "cifar_resnet", "depth": 8},
            "plan": {"steps": STEPS, "batch_size": 64, "observations": 2},
            "machine": {"device": "cpu", "precision": "fp32", "compile": "never"},
        }
    },
}


def table() -> Table:
    """Seconds of a study by its number of workers."""
    return Table(
        title="Runs at once",
        command="python -m bench.workers",
        note=f"seconds of a study of {SEEDS} trainings of ResNet-8, {STEPS} steps of 64 images of "
        f"32x32, fp32 on the processor, with start and report; median of {ROUNDS} rounds in turn. "
        "One after the other, a run has all threads; at once, each has its share.",
        head=("workers", "seconds", "one worker", "ratio"),
        rows=_rows(),
    )


def _rows() -> Iterator[tuple[str, ...]]:
    several = sorted({2, min(SEEDS, os.cpu_count() or 2)})
    took: dict[int, list[float]] = {workers: [] for workers in (1, *several)}
    for _ in range(ROUNDS):
        for workers in took:
            took[workers].append(_seconds(workers))
    one = statistics.median(took[1])
    for workers in several:
        seconds = statistics.median(took[workers])
        yield str(workers), f"{seconds:.1f}", f"{one:.1f}", f"{one / seconds:.2f}"


def _seconds(workers: int) -> float:
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "equal.yaml"  # JSON is YAML
        file.write_text(json.dumps(STUDY))
        words = ["run", str(file), "--workers", str(workers), "--runs", str(Path(place) / "runs")]
        began = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "understudy", *words, "--quiet"], check=True, capture_output=True
        )
        return time.perf_counter() - began


if __name__ == "__main__":
    shown(table())
