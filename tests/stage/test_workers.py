"""A study whose runs are done several at once."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from multiprocessing import active_children
from pathlib import Path
from typing import Any

import pytest
from safetensors.numpy import load_file

from understudy.core.errors import InterruptedRunError, UsageError
from understudy.core.interrupts import Interrupts
from understudy.core.progress import Silent
from understudy.studies.executors.executor import Job
from understudy.studies.executors.place import Place
from understudy.studies.executors.pool import Pool
from understudy.studies.executors.sizing import Size
from understudy.studies.running import run_study
from understudy.studies.study import Study, read_study

STUDY = """
title: Two seeds of a few steps, a stray beside them
seeds: [1, 2]
stages:
  teacher:
    stage: train
COMMON
    backbone: {kind: cifar_resnet, depth: 8, width: 0.5}
    plan: {steps: 30, batch_size: 32}
  wild:
    stage: train
COMMON
    backbone: {kind: cifar_resnet, depth: 8, width: 0.5}
    plan: {steps: 60, batch_size: 32, optimizer: {kind: sgd, learning_rate: 1.0e+30}}
  pupil:
    stage: distill
    teacher: '@wild'
COMMON
    student: {kind: cifar_resnet, depth: 8, width: 0.5}
    plan: {steps: 2, batch_size: 32}
  student:
    stage: distill
    teacher: '@teacher'
COMMON
    student: {kind: cifar_resnet, depth: 8, width: 0.5}
    plan: {steps: 30, batch_size: 32}
"""
COMMON = """
    data: {kind: digits}
    labels: {per_class: 5, validation_per_class: 5}
    machine: {device: cpu, precision: fp32, memory_format: contiguous, compile: never, threads: 1}
"""

pytestmark = pytest.mark.slow  # each process brings its own torch


@pytest.fixture
def study(tmp_path: Path) -> Study:
    path = tmp_path / "at-once.yaml"
    path.write_text(STUDY.replace("COMMON\n", COMMON.lstrip("\n")))
    return read_study(str(path))


def listed(folder: Path) -> dict[tuple[str, int], dict[str, Any]]:
    runs = json.loads((folder / "study.json").read_text())["runs"]
    return {(run["node"], run["seed"]): run for run in runs}


def weights(runs: Path, run: dict[str, Any]) -> dict[str, Any]:
    return load_file(runs / run["run"] / "checkpoints" / "last" / "model.safetensors")


def shared(runs: Path, run: dict[str, Any]) -> int:
    summary = json.loads((runs / run["run"] / "summary.json").read_text())
    return int(summary["at_once"])


class Watching(Silent):
    """Counts what is under way, and does something once when a given piece of work begins."""

    def __init__(self, at: str = "", then: Callable[[], None] = lambda: None) -> None:
        self.at, self.then = at, then
        self.now = self.most = 0

    def begin(self, title: str, total: int) -> None:  # noqa: ARG002
        self.now += 1
        self.most = max(self.most, self.now)
        if self.at and self.at in title:
            self.at = ""
            self.then()

    def end(self, note: str = "") -> None:  # noqa: ARG002
        self.now -= 1


def test_several_at_once_give_what_one_after_the_other_gives(study: Study, tmp_path: Path) -> None:
    """To the bit, with as many threads; what fails takes with it only what builds on it."""
    watching = Watching()
    at_once = run_study(study, runs=tmp_path / "at-once", progress=watching, place=Place(workers=2))
    one = run_study(study, runs=tmp_path / "one", progress=Silent())

    assert watching.most >= 2
    assert at_once.exit_code == one.exit_code == 4
    ours, theirs = listed(at_once.folder), listed(one.folder)
    assert {key: run["status"] for key, run in ours.items()} == {
        key: run["status"] for key, run in theirs.items()
    }
    assert {ours["student", seed]["status"] for seed in (1, 2)} == {"finished"}
    assert shared(tmp_path / "at-once", ours["student", 1]) == 2
    assert shared(tmp_path / "one", theirs["student", 1]) == 1
    assert {ours["pupil", seed]["status"] for seed in (1, 2)} == {"pending"}
    for key in [("teacher", 1), ("student", 1), ("student", 2)]:
        here, there = (
            weights(tmp_path / "at-once", ours[key]),
            weights(tmp_path / "one", theirs[key]),
        )
        assert all((here[name] == there[name]).all() for name in there)


def test_a_signal_makes_all_save_and_the_same_command_goes_on(study: Study, tmp_path: Path) -> None:
    stops = Watching(": distill", lambda: os.kill(os.getpid(), signal.SIGINT))
    with pytest.raises(InterruptedRunError) as caught:
        run_study(study, runs=tmp_path / "runs", progress=stops, place=Place(workers=2))
    begun = list((tmp_path / "runs").glob("distill/*"))  # the second, too, if a worker was free
    saved = [one for one in begun if (one / "checkpoints" / "last" / "state.json").exists()]
    assert saved
    assert not any((one / "summary.json").exists() for one in begun)
    assert all(one in saved for one in begun if (one / "metrics.jsonl").exists())

    outcome = run_study(study, runs=tmp_path / "runs", progress=Silent(), place=Place(workers=2))

    assert caught.value.exit_code == 130
    assert outcome.found >= 1
    assert {listed(outcome.folder)["student", seed]["status"] for seed in (1, 2)} == {"finished"}


def test_a_process_that_is_killed_takes_its_own_run_with_it(study: Study, tmp_path: Path) -> None:
    victims = Watching(": distill", lambda: os.kill(active_children()[0].pid or 0, signal.SIGKILL))
    outcome = run_study(study, runs=tmp_path / "runs", progress=victims, place=Place(workers=2))

    lost = [run for run in listed(outcome.folder).values() if "killed" in (run["error"] or "")]
    assert len(lost) == 1
    again = run_study(study, runs=tmp_path / "runs", progress=Silent(), place=Place(workers=2))
    assert {listed(again.folder)["student", seed]["status"] for seed in (1, 2)} == {"finished"}


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
def test_processes_save_and_leave_when_whoever_asked_is_gone(tmp_path: Path) -> None:
    path, runs = tmp_path / "long.yaml", tmp_path / "runs"
    path.write_text(
        STUDY.replace("COMMON\n", COMMON.lstrip("\n")).replace("steps: 30,", "steps: 30000,")
    )
    words = [sys.executable, "-m", "understudy", "run", str(path), "--runs", str(runs)]
    with (tmp_path / "stderr").open("wb") as stderr:
        asker = subprocess.Popen([*words, "--workers", "2", "--quiet"], stderr=stderr)
    _until(lambda: len(_teachers(runs, "metrics.jsonl")) == 2)
    workers = _workers(asker.pid)
    assert len(workers) == 2

    asker.kill()
    asker.wait()

    _until(lambda: not any(map(_command, workers)))
    assert len(_teachers(runs, "checkpoints/last/state.json")) == 2
    assert not _teachers(runs, "summary.json")
    assert "Traceback" not in (tmp_path / "stderr").read_text()


def test_a_script_is_not_run_again_by_each_process(tmp_path: Path) -> None:
    """Without `if __name__ == "__main__":`, as in a notebook or a pipe into Python."""
    study, script = tmp_path / "one.yaml", tmp_path / "script.py"
    text = STUDY.partition("  wild:")[0].replace("seeds: [1, 2]", "seeds: [1]")
    study.write_text(text.replace("COMMON\n", COMMON.lstrip("\n")).replace("steps: 30", "steps: 2"))
    script.write_text(
        "import understudy\n"
        f"print(understudy.run({str(study)!r}, runs={str(tmp_path / 'runs')!r}, workers=2).folder)"
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (0, f"{tmp_path / 'runs' / 'studies' / 'one'}\n")
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_a_process_that_is_being_started_leaves_no_traceback(
    number: signal.Signals, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    interrupts = Interrupts()
    with Pool(Size(2), interrupts) as pool:
        pool.begin(Job("key", "train", {}, "test", "name", tmp_path, 2), Silent())
        (process,) = active_children()
        _until(lambda: _catches_ctrl_c(process.pid or 0))
        interrupts.received = number
        with pytest.raises(InterruptedRunError):
            pool.ended()

    assert capfd.readouterr().err == ""


SEEDS = """
title: A few equal trainings
seeds: [1, 2, 3, 4, 5, 6, 7]
stages:
  teacher:
    stage: train
COMMON
    backbone: {kind: cifar_resnet, depth: 8, width: 0.5}
    plan: {steps: 60, batch_size: 32}
"""


@pytest.fixture
def equal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Study:
    """Trainings of a second or less, which are taken for measurements here, on two threads."""
    monkeypatch.setattr("understudy.studies.executors.sizing.SHORTEST", 0.0)
    monkeypatch.setattr("understudy.studies.executors.place.ALL_THREADS", 2)
    path = tmp_path / "equal.yaml"
    path.write_text(SEEDS.replace("COMMON\n", COMMON.lstrip("\n")))
    return read_study(str(path))


class Second(Watching):
    """Does something when two are under way for the first time, and keeps what was said."""

    def __init__(self, then: Callable[[], None] = lambda: None) -> None:
        super().__init__()
        self.second: Callable[[], None] | None = then
        self.lines: list[str] = []
        self.most_after = 0

    def begin(self, title: str, total: int) -> None:
        super().begin(title, total)
        if self.second is None:
            self.most_after = max(self.most_after, self.now)
        elif self.now == 3:  # the study, and two of its runs
            self.second()
            self.second, self.now = None, 2

    def say(self, text: str) -> None:
        self.lines.append(text)


AUTO = Place(workers="auto")


def test_the_number_of_workers_is_measured_and_again_after_an_interruption(
    equal: Study, tmp_path: Path
) -> None:
    """What it comes to depends on the machine; that two are tried, and what is said, does not."""
    runs = tmp_path / "runs"
    stops = Second(lambda: os.kill(os.getpid(), signal.SIGINT))
    with pytest.raises(InterruptedRunError):
        run_study(equal, runs=runs, progress=stops, place=AUTO)
    assert not active_children()
    before = {path.parent for path in runs.glob("train/*/summary.json")}  # 1, or 2 by the signal

    watching = Second()
    outcome = run_study(equal, runs=runs, progress=watching, place=AUTO)

    assert (outcome.exit_code, outcome.found) == (0, len(before))
    assert 1 <= len(before) < 4, "stopped early"
    found = listed(outcome.folder)
    places = [runs / found["teacher", seed]["run"] for seed in range(1, 8)]
    at_once = [shared(runs, found["teacher", seed]) for seed in range(1, 8)]
    later = [shared for shared, place in zip(at_once, places, strict=True) if place not in before]
    assert at_once[0] == later[0] == 1, "the first of each attempt"
    assert set(at_once) == {1, 2}
    assert watching.most == 3
    (told,) = [line for line in watching.lines if "worker" in line]
    assert re.match(
        r"(2 workers: \d\.\d\d times the runs of 1; torch has 2 threads"
        r"|1 worker: 2 do \d\.\d\d times as many)",
        told,
    )


@pytest.mark.skipif(sys.platform == "win32", reason="kills a process")
def test_a_worker_that_is_killed_while_the_number_grows_is_one_too_many(
    equal: Study, tmp_path: Path
) -> None:
    """Its run fails and no other; there is one worker from then on; the same command does it."""
    watching = Second(
        lambda: os.kill(max(one.pid or 0 for one in active_children()), signal.SIGKILL)
    )
    outcome = run_study(equal, runs=tmp_path / "runs", progress=watching, place=AUTO)

    runs = listed(outcome.folder)
    lost = [seed for (_, seed), run in runs.items() if run["error"]]
    assert len(lost) == 1
    assert outcome.exit_code == 5
    assert {run["status"] for (_, seed), run in runs.items() if seed not in lost} == {"finished"}
    assert shared(tmp_path / "runs", runs["teacher", 7]) == 1
    assert "1 worker: one of 2 was killed, as when memory runs out" in watching.lines

    again = run_study(equal, runs=tmp_path / "runs", progress=Silent(), place=AUTO)
    assert (again.exit_code, again.trained, again.found) == (0, 1, 6)


class TornStage(str):
    """Looked up, it ends like a file that is too short."""

    def __hash__(self) -> int:
        raise EOFError(f"{self}: no such stage")


@pytest.mark.parametrize("stage", ["no such stage", TornStage("torn")], ids=["any", "EOFError"])
def test_a_fault_of_ours_is_raised_with_its_traceback(stage: str, tmp_path: Path) -> None:
    job = Job("key", stage, {}, "test", "name", tmp_path, 2)
    with Pool(Size(2), Interrupts()) as pool:
        pool.begin(job, Silent())
        with pytest.raises(RuntimeError, match=r"(?s)Traceback.*no such stage"):
            pool.ended()


@pytest.mark.parametrize("workers", [0, 1.5, "2", "AUTO"])
def test_what_is_no_number_of_workers_is_a_mistake(
    study: Study, tmp_path: Path, workers: Any
) -> None:
    with pytest.raises(UsageError, match=f"workers = {workers!r}: must be a whole number, at le"):
        run_study(study, runs=tmp_path / "runs", progress=Silent(), place=Place(workers=workers))


def _teachers(runs: Path, file: str) -> list[Path]:
    return list(runs.glob(f"train/teacher-*/{file}"))


def _workers(pid: int) -> list[int]:
    """The processes that do runs, and not the one in which Python counts its locks."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in children if "spawn_main" in _command(int(child))]


def _command(pid: int) -> str:
    """Empty where it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def _catches_ctrl_c(pid: int) -> bool:
    """Python has begun there; from now on SIGINT is an exception wherever it is."""
    status = Path(f"/proc/{pid}/status").read_text()
    (caught,) = [line.split()[1] for line in status.splitlines() if line.startswith("SigCgt:")]
    return bool(int(caught, 16) >> (signal.SIGINT - 1) & 1)


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 300
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)
