"""A study carried out: shared, resumed, failing in part, within a time."""

import json
import os
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest
from tests.stage.conftest import Launcher

from understudy.core.errors import InterruptedRunError, UsageError
from understudy.core.progress import Silent
from understudy.results.comparison import comparison
from understudy.results.inventory import inventory
from understudy.results.spare import proposal
from understudy.studies.configure import made_of
from understudy.studies.running import run_study
from understudy.studies.study import Study, read_study
from understudy.studies.time_limit import seconds_of

STUDY = """
title: A study of a few steps
parameters:
  rate: 0.1
  epochs: 1
  budget: null
budget:
  epochs: 0.5
seeds: [1, 2]
stages:
  teacher:
COMMON
    plan: {epochs: '${epochs}', batch_size: 32, optimizer: {kind: sgd, learning_rate: 0.1}}
  wild:
COMMON
    plan:
      steps: 60
      batch_size: 32
      optimizer: {kind: sgd, learning_rate: '${rate}'}
  pupil:
    stage: distill
    teacher: '@wild'
    data: {kind: digits}
    labels: {per_class: 5, validation_per_class: 5}
    student: {kind: cifar_resnet, depth: 8, width: 0.5}
    plan: {steps: 2, batch_size: 32}
    machine: {device: cpu, precision: fp32, memory_format: contiguous, compile: never}
  student:
    stage: distill
    teacher: '@teacher'
    data: {kind: digits}
    labels: {per_class: 5, validation_per_class: 5}
    student: {kind: cifar_resnet, depth: 8, width: 0.5}
    plan: {steps: 2, batch_size: 32}
    machine: {device: cpu, precision: fp32, memory_format: contiguous, compile: never}
"""


class Told(Silent):
    def __init__(self) -> None:
        self.lines: list[str] = []
        self.ends: list[str] = []

    def end(self, note: str = "") -> None:
        self.ends.append(note)

    def say(self, text: str) -> None:
        self.lines.append(text)


COMMON = """
    stage: train
    data: {kind: digits}
    labels: {per_class: 5, validation_per_class: 5}
    backbone: {kind: cifar_resnet, depth: 8, width: 0.5}
    machine: {device: cpu, precision: fp32, memory_format: contiguous, compile: never}
"""  # YAML 1.2 has no merge keys


@pytest.fixture
def study(tmp_path: Path) -> Study:
    path = tmp_path / "few-steps.yaml"
    path.write_text(STUDY.replace("COMMON\n", COMMON.lstrip("\n")))
    return read_study(str(path))


def listed(folder: Path) -> dict[tuple[str, int], dict[str, Any]]:
    runs = json.loads((folder / "study.json").read_text())["runs"]
    return {(run["node"], run["seed"]): run for run in runs}


def test_a_failing_run_takes_with_it_only_what_builds_on_it(study: Study, tmp_path: Path) -> None:
    wild = made_of(study, {"rate": 1e30}).study

    outcome = run_study(wild, runs=tmp_path / "runs", progress=Silent())

    status = {key: run["status"] for key, run in listed(outcome.folder).items()}
    assert {status["wild", seed] for seed in (1, 2)} == {"failed"}
    assert {status["pupil", seed] for seed in (1, 2)} == {"pending"}
    assert {status["student", seed] for seed in (1, 2)} == {"finished"}
    assert outcome.exit_code == 4
    assert (outcome.folder / "report.html").exists()


def test_again_does_nothing_and_another_study_shares_what_is_equal(
    study: Study, tmp_path: Path
) -> None:
    told = Told()
    first = run_study(study, runs=tmp_path / "runs", progress=told)
    again = run_study(study, runs=tmp_path / "runs", progress=told)
    other = run_study(made_of(study, {"rate": 0.2}).study, runs=tmp_path / "runs", progress=told)

    assert (first.trained, first.found, first.exit_code) == (8, 0, 0)
    seeds = {line.name: len(line.rows) for line in comparison(first.record).at("last")}
    assert seeds == {"teacher": 2, "wild": 2, "pupil": 2, "student": 2}
    estimates = [end for end in told.ends if "study: " in end]
    assert len(estimates) == 3 + 1, "of the second seed, but its last run; then of the one known"
    assert (again.trained, again.found) == (0, 8)
    assert any("Nothing new to do" in line for line in told.lines)
    assert (other.trained, other.found) == (4, 4)
    assert other.folder != first.folder


@pytest.mark.parametrize("at", ["reading digits", "packing digits", "measuring"])
def test_a_study_that_was_stopped_before_its_first_run_begins_anew(
    at: str, study: Study, tmp_path: Path
) -> None:
    """While images are read and packed, and while the machine is measured."""

    class Stops(Silent):
        def begin(self, title: str, total: int) -> None:  # noqa: ARG002
            self.say(title)

        def say(self, text: str) -> None:
            if at in text:
                os.kill(os.getpid(), signal.SIGINT)

    measured = made_of(study, {"machine.memory_format": "measure"}).study
    with pytest.raises(InterruptedRunError) as caught:
        run_study(measured, runs=tmp_path / "runs", progress=Stops())

    assert caught.value.exit_code == 130
    assert run_study(measured, runs=tmp_path / "runs", progress=Silent()).trained == 8


class Stops(Silent):
    """Sends a signal when a given training begins."""

    def __init__(self, number: int) -> None:
        self.number, self.runs = number, 0

    def begin(self, title: str, total: int) -> None:  # noqa: ARG002
        self.runs += title.endswith((": train", ": distill"))
        if self.runs == self.number:
            os.kill(os.getpid(), signal.SIGTERM)


def test_an_interrupted_study_goes_on_where_it_was(study: Study, tmp_path: Path) -> None:
    with pytest.raises(InterruptedRunError) as caught:
        run_study(study, runs=tmp_path / "runs", progress=Stops(3))
    folder = tmp_path / "runs" / "studies" / "few-steps"
    before = [run for run in listed(folder).values() if run["status"] == "finished"]

    outcome = run_study(study, runs=tmp_path / "runs", progress=Silent())

    assert caught.value.exit_code == 143
    assert before
    assert outcome.found == len(before)
    assert outcome.found + outcome.trained == 8


def test_what_a_stopped_study_was_to_be_made_from_is_not_cleaned_away(
    go: Launcher, tmp_path: Path
) -> None:
    """A run that no study made, named by its path; and the images, that no run has used yet."""
    runs = tmp_path / "runs"
    views = [{"transforms": [{"kind": "pad_and_crop", "padding": 1}]}] * 2
    first = go("pretrain", root=runs, views=views)
    outside = go("finetune", root=runs, name="outside", start=str(first.run.path))
    path = tmp_path / "later.yaml"
    path.write_text(f"stages:\n  pupil:\n    stage: distill\n    teacher: {outside.run.path}\n")

    with pytest.raises(InterruptedRunError):
        run_study(read_study(str(path)), runs=runs, progress=Stops(1))
    (begun,) = (runs / "distill").iterdir()
    shutil.rmtree(begun)  # as if it had been stopped before

    assert proposal(inventory(runs), unused=True).spare == ()
    (folder,) = (runs / "studies").iterdir()
    packs = {path.name for path in (runs / "shared" / "packs").iterdir() if path.is_dir()}
    assert set(json.loads((folder / "study.json").read_text())["packs"]) == packs


def test_what_was_finished_stays_told_when_doing_one_run_again_is_interrupted(
    study: Study, tmp_path: Path
) -> None:
    """`runs clean` and a report go by the record."""
    folder = run_study(study, runs=tmp_path / "runs", progress=Silent()).folder
    before = listed(folder)
    again = next(iter(before.values()))
    shutil.rmtree(tmp_path / "runs" / again["run"])

    with pytest.raises(InterruptedRunError):
        run_study(study, runs=tmp_path / "runs", progress=Stops(1))

    assert listed(folder) == before


def test_mistakes_of_all_stages_are_told_before_anything_is_made(
    study: Study, tmp_path: Path
) -> None:
    with pytest.raises(UsageError) as caught:
        run_study(
            made_of(study, {"rate": -1, "epochs": "many"}).study,
            runs=tmp_path / "runs",
            progress=Silent(),
        )

    assert "rate" in str(caught.value)
    assert "epochs" in str(caught.value)
    assert not (tmp_path / "runs").exists()


@pytest.mark.slow
def test_a_budget_becomes_epochs_that_are_announced_and_kept(study: Study, tmp_path: Path) -> None:
    limited = made_of(study, {"budget": "6s"}).study
    told = Told()

    first = run_study(limited, runs=tmp_path / "runs", progress=told)
    (written,) = first.folder.glob("budget-*.json")
    record = json.loads(written.read_text())
    again = run_study(limited, runs=tmp_path / "runs", progress=told)

    assert record["epochs"] >= 1
    assert sum(f"epochs={record['epochs']:g}" in line for line in told.lines) == 2
    assert again.trained == 0
    config = next((tmp_path / "runs" / "train").glob("teacher-*")) / "config.yaml"
    assert f"epochs: {float(record['epochs'])}" in config.read_text()
    assert not (tmp_path / "runs" / "shared" / "trials").exists() or not any(
        (tmp_path / "runs" / "shared" / "trials").iterdir()
    )


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("30min", 1800), ("2h", 7200), ("1.5 h", 5400)]
)
def test_a_time_is_read(text: str, seconds: float) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "30", "0min", "-1h", "1d", "[]"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="30min"):
        seconds_of(text)
