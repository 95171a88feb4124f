"""A study that tunes, carried out."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.stage.test_study import Stops

from understudy.core.errors import InterruptedRunError
from understudy.core.progress import Silent
from understudy.results.inventory import inventory
from understudy.results.spare import proposal
from understudy.studies.configure import made_of
from understudy.studies.running import run_study
from understudy.studies.study import Study, read_study

STUDY = """
parameters: {rates: [0.001, 0.05], best: null, validation: 0.1}
axes:
  width:
    - {name: narrow, width: 0.5}
    - {name: wide, width: 1}
seeds: [1, 2]
tune:
  stage: baseline
  grid: {plan.optimizer.learning_rate: '${rates}'}
  best: ${best}
stages:
  baseline:
    stage: train
    data: {kind: digits}
    split: {validation: '${validation}'}
    labels: {per_class: 5}
    backbone: {kind: cifar_resnet, depth: 8, width: '${width.width}'}
    plan:
      steps: 8
      batch_size: 32
      monitor: nll
      optimizer: {kind: sgd, learning_rate: 0.01, momentum: 0, nesterov: false}
    machine: {device: cpu, precision: fp32, memory_format: contiguous, compile: never}
  evaluation:
    stage: evaluate
    models: ['@baseline']
    data: {kind: digits}
    split: {validation: '${validation}'}
"""
RATE = "plan.optimizer.learning_rate"


@pytest.fixture
def study(tmp_path: Path) -> Study:
    path = tmp_path / "tuned.yaml"
    path.write_text(STUDY)
    return read_study(str(path))


def content(folder: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((folder / "study.json").read_text())
    return read


def rates(folder: Path) -> set[str]:
    """Of the runs that the study is made of."""
    lines = [
        line.split()[1]
        for run in content(folder)["runs"]
        if run["node"] == "baseline"
        for line in (folder.parents[1] / run["run"] / "config.yaml").read_text().splitlines()
        if "learning_rate" in line
    ]
    return set(lines)


def test_the_best_on_validation_is_taken_and_its_run_is_not_done_twice(
    study: Study, tmp_path: Path
) -> None:
    outcome = run_study(study, runs=tmp_path / "runs", progress=Silent())

    for setting in content(outcome.folder)["tuning"]["tried"]:
        scores = {one["values"][RATE]: one["score"] for one in setting["candidates"]}
        (taken,) = [one for one in setting["candidates"] if one["taken"]]
        assert list(scores) == ["0.01", "0.001", "0.05"]
        assert taken["score"] == max(scores.values())
        summary = json.loads((tmp_path / "runs" / taken["run"] / "summary.json").read_text())
        assert taken["score"] == -summary["checkpoints"]["best"]["val_nll"]
    assert outcome.trained == 2 * 3 + 2 + 4, "candidates, the other seed, evaluations"
    assert (outcome.folder / "tuning.csv").read_text().count("\n") == 1 + 6


def test_only_chosen_candidates_meet_the_test_images(study: Study, tmp_path: Path) -> None:
    outcome = run_study(study, runs=tmp_path / "runs", progress=Silent())

    evaluated = {
        one["run"]
        for path in (tmp_path / "runs" / "evaluate").glob("*/summary.json")
        for one in json.loads(path.read_text())["evaluations"]
    }
    record = content(outcome.folder)
    chosen = {run["run"] for run in record["runs"] if run["node"] == "baseline"}
    tried = {run["run"] for run in record["tuning"]["runs"]}
    assert evaluated == chosen
    assert len(tried - chosen) == 4


def test_an_interrupted_tuning_goes_on_and_comes_to_the_same(study: Study, tmp_path: Path) -> None:
    with pytest.raises(InterruptedRunError):
        run_study(study, runs=tmp_path / "runs", progress=Stops(3))
    (folder,) = (tmp_path / "runs" / "studies").iterdir()
    before = content(folder)["tuning"]
    assert proposal(inventory(tmp_path / "runs"), unused=True).spare == ()

    outcome = run_study(study, runs=tmp_path / "runs", progress=Silent())
    straight = run_study(study, runs=tmp_path / "straight", progress=Silent())
    again = run_study(study, runs=tmp_path / "runs", progress=Silent())

    assert not any(one["taken"] for each in before["tried"] for one in each["candidates"])
    assert outcome.found == sum(run["status"] == "finished" for run in before["runs"]) == 2
    assert content(outcome.folder)["tuning"] == content(straight.folder)["tuning"]
    assert (again.trained, again.found) == (0, 12)
    assert proposal(inventory(tmp_path / "runs"), unused=True).spare == ()


def test_a_candidate_that_diverges_is_told_and_not_taken(study: Study, tmp_path: Path) -> None:
    wild = made_of(study, {"rates": [1e30], "seeds": [1], "width": "narrow"}).study

    outcome = run_study(wild, runs=tmp_path / "runs", progress=Silent())

    (setting,) = content(outcome.folder)["tuning"]["tried"]
    written, other = setting["candidates"]
    assert (written["taken"], other["taken"]) == (True, False)
    assert (other["status"], other["score"]) == ("failed", None)
    assert "finite" in other["error"]
    assert (outcome.exit_code, rates(outcome.folder)) == (0, {"0.01"})


def test_only_the_best_as_written_are_tuned(study: Study, tmp_path: Path) -> None:
    few = made_of(study, {"best": 1, "seeds": [1]}).study

    outcome = run_study(few, runs=tmp_path / "runs", progress=Silent())

    tried = content(outcome.folder)["tuning"]["tried"]
    first = {setting["axes"]["width"]: setting["candidates"][0]["score"] for setting in tried}
    (tuned,) = [setting for setting in tried if setting["tuned"]]
    assert tuned["axes"]["width"] == max(first, key=lambda name: first[name])
    assert sorted(len(setting["candidates"]) for setting in tried) == [1, 3]
    assert outcome.exit_code == 0
