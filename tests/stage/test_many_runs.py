"""Many runs in one folder: killed and started again, and done by several schedulers."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from understudy.core.errors import BusyError
from understudy.core.progress import Silent
from understudy.studies.execution import Execution
from understudy.studies.executors.executor import Done, Ended, Job
from understudy.studies.plan import Node

STUDY = """
title: Teachers and their students, of a few steps each
axes: {rate: [0.1, 0.05], temperature: [1, 2]}
stages:
  teacher:
    stage: train
COMMON
    backbone: {kind: cifar_resnet, depth: 8, width: 0.5}
    plan: {steps: 20, batch_size: 32, optimizer: {kind: sgd, learning_rate: '${rate}'}}
  student:
    stage: distill
    teacher: '@teacher'
COMMON
    student: {kind: cifar_resnet, depth: 8, width: 0.5}
    terms: [{kind: soft_label, temperature: '${temperature}'}]
    plan: {steps: 20, batch_size: 32}
"""
COMMON = """
    data: {kind: digits}
    labels: {per_class: 5, validation_per_class: 5}
    machine: {device: cpu, precision: fp32, memory_format: contiguous, compile: never, threads: 1}
"""
RUNS = 6
SCHEDULER = """
import sys
from pathlib import Path
from understudy.core.progress import Silent
from understudy.studies.running import run_study
from understudy.studies.study import read_study
study = read_study(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
outcome = run_study(study, runs=Path(sys.argv[2]), progress=Silent())
print(outcome.trained, outcome.found, outcome.exit_code, flush=True)
"""


@pytest.fixture
def study(tmp_path: Path) -> Path:
    path = tmp_path / "many.yaml"
    path.write_text(STUDY.replace("COMMON\n", COMMON.lstrip("\n")))
    return path


def finished(runs: Path) -> dict[str, int]:
    """When each finished run was finished."""
    return {path.parent.name: path.stat().st_mtime_ns for path in runs.glob("*/*/summary.json")}


def statuses(runs: Path) -> list[str]:
    record: dict[str, Any] = json.loads((runs / "studies" / "many" / "study.json").read_text())
    return [run["status"] for run in record["runs"]]


@pytest.fixture
def schedulers(study: Path, tmp_path: Path) -> Iterator[list[subprocess.Popen[str]]]:
    """Two processes that have read the study, and wait for a line to do it."""
    words = [sys.executable, "-c", SCHEDULER, str(study), str(tmp_path / "runs")]
    found = [
        subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    yield found
    for process in found:
        process.kill()
        process.communicate()


@pytest.mark.slow
def test_two_schedulers_do_each_run_once(
    schedulers: list[subprocess.Popen[str]], tmp_path: Path
) -> None:
    for process in schedulers:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"

    for process in schedulers:
        assert process.stdin
        process.stdin.write("go\n")
        process.stdin.flush()
    told = [process.communicate()[0].split() for process in schedulers]

    assert [code for _, _, code in told] == ["0", "0"]
    assert sum(int(trained) for trained, _, _ in told) == RUNS
    assert all(int(trained) + int(found) == RUNS for trained, found, _ in told)
    assert all(int(trained) > 0 for trained, _, _ in told)
    assert len(finished(tmp_path / "runs")) == RUNS
    assert set(statuses(tmp_path / "runs")) == {"finished"}


@pytest.mark.slow
def test_a_scheduler_that_is_killed_is_started_again_and_does_nothing_twice(
    study: Path, tmp_path: Path
) -> None:
    """At once: while the processes that it left are still saving."""
    runs = tmp_path / "runs"
    words = [sys.executable, "-m", "understudy", "run", str(study), "--runs", str(runs)]
    words += ["--workers", "2", "--quiet"]
    first = subprocess.Popen(words, stdout=subprocess.DEVNULL)
    try:
        _until(lambda: len(finished(runs)) >= 2)
    finally:
        os.kill(first.pid, signal.SIGKILL)
        first.wait()
    before = finished(runs)

    done = subprocess.run(words, capture_output=True, check=False)

    assert (done.returncode, done.stderr) == (0, b"")
    after = finished(runs)
    assert len(before) < len(after) == RUNS
    assert {name: when for name, when in after.items() if name in before} == before
    assert set(statuses(runs)) == {"finished"}


class Elsewhere:
    """An executor that finds the first run taken by another process some times."""

    is_alone = True
    slots = 1

    def __init__(self, times: int) -> None:
        self.left = times
        self.begun: list[str] = []
        self._ended: list[Ended] = []

    @property
    def under_way(self) -> int:
        return len(self._ended)

    @property
    def room(self) -> int:
        return self.slots - self.under_way

    def begin(self, job: Job, progress: object) -> None:  # noqa: ARG002
        self.begun.append(job.key)
        taken = job.key == "one" and self.left > 0
        self.left -= taken
        result = (
            BusyError("taken") if taken else Done(Path(job.key), job.key, {"seconds": 1.0}, True)
        )
        self._ended.append(Ended(job, result))

    def ended(self, within: float | None = None) -> list[Ended]:  # noqa: ARG002
        told, self._ended = self._ended, []
        return told


def test_what_another_process_is_doing_is_come_back_to_after_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("understudy.studies.execution.SECONDS_BETWEEN_LOOKS", 0.01)
    nodes = [Node(key, "train", 1, {}, {}, {}, key) for key in ("one", "two", "three")]
    executor = Elsewhere(times=2)
    execution = Execution("study", runs=tmp_path, progress=Silent(), executor=executor)

    execution.do(nodes, after_each=lambda: None)

    assert executor.begun[0] == "one"
    assert executor.begun.count("one") == 3
    assert executor.begun[1] == "two", "not the one that is taken, again"
    assert execution.errors == {}
    assert set(execution.paths) == {"one", "two", "three"}


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 300
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)
