from pathlib import Path
from typing import Any

import pytest

from understudy.results.errors import ReportError
from understudy.results.records import read_run, read_study


def entry(**fields: Any) -> dict[str, Any]:
    listed = {"node": "student", "stage": "distill", "seed": 1, "axes": {}, "parents": []}
    return {**listed, "run": "distill/student-0", "status": "finished", "error": None, **fields}


def test_a_finished_run_tells_what_its_summary_tells(tree: Any) -> None:
    run = read_run(tree.root / tree.train("student", 1)["run"])

    assert (run.stage, run.name, run.status, run.is_training) == (
        *("distill", "student", "finished"),
        True,
    )
    assert run.id == f"distill/student-{run.identity}"
    assert "stage: distill" in run.config
    assert run.environment["python"] == "3.11"


def test_a_run_without_summary_is_unfinished_and_named_by_its_folder(tree: Any) -> None:
    tree.write("train/baseline-0123456789ab/config.yaml", "identity: 0123456789ab")

    run = read_run(tree.root / "train/baseline-0123456789ab")

    assert (run.stage, run.name, run.identity) == ("train", "baseline", "0123456789ab")
    assert run.status == "unfinished"


def test_a_damaged_summary_is_noted(tree: Any) -> None:
    tree.write("train/baseline-0123456789ab/summary.json", '{"stage": "tr')

    run = read_run(tree.root / "train/baseline-0123456789ab")

    assert run.status == "damaged"
    assert "summary.json cannot be read" in run.notes[0]


def test_a_run_that_is_not_there_is_missing(tmp_path: Path) -> None:
    assert read_run(tmp_path / "train/none-0").status == "missing"


def test_a_study_tells_its_runs_in_order(study: Path) -> None:
    record = read_study(study)

    assert (record.name, record.title) == ("few-labels", "Few labels")
    assert [one.node for one in record.entries][:6] == [
        *("baseline", "pretrain", "teacher", "student", "evaluation", "export")
    ]
    assert {one.status for one in record.entries} == {"finished"}
    assert [one.seed for one in record.entries if one.node == "student"] == [1, 2, 3]


@pytest.mark.parametrize(
    ("told", "status"),
    [("failed", "failed"), ("pending", "pending"), ("finished", "missing"), ("?", "pending")],
)
def test_a_run_that_is_absent_has_the_state_that_the_study_tells(
    tree: Any, told: str, status: str
) -> None:
    record = read_study(tree.study(runs=[entry(status=told, error="CUDA out of memory")]))

    assert record.entries[0].status == status
    assert record.entries[0].error == "CUDA out of memory"


@pytest.mark.parametrize("told", ["failed", "pending"])
def test_a_run_that_finished_after_the_study_was_written_is_finished(tree: Any, told: str) -> None:
    run = tree.train("student", 1)

    record = read_study(tree.study(runs=[{**run, "status": told}]))

    assert record.entries[0].status == "finished"


def test_a_run_that_was_begun_is_unfinished(tree: Any) -> None:
    tree.write("distill/student-0/config.yaml", "identity: 0")

    record = read_study(tree.study(runs=[entry(status="pending")]))

    assert record.entries[0].status == "unfinished"


@pytest.mark.parametrize("run", ["../secret", "distill/../../etc", "/etc", "", None])
def test_a_study_cannot_name_a_run_outside_its_folder(tree: Any, run: str | None) -> None:
    for outside in ("secret", "etc"):
        tree.write(f"../{outside}/summary.json", {"stage": "train", "checkpoints": {}})

    record = read_study(tree.study(runs=[entry(run=run)]))

    assert record.entries[0].status == "missing"
    assert not record.entries[0].run.is_training


@pytest.mark.parametrize("runs", [None, [], {}, [None], [{}], ["text"]])
def test_a_study_with_an_odd_list_of_runs_is_read(tree: Any, runs: Any) -> None:
    record = read_study(tree.study(runs=runs))

    assert {one.status for one in record.entries} <= {"pending"}


def test_a_folder_without_study_is_refused_with_a_way_out(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match=r"holds no study.json. Give the directory of a study"):
        read_study(tmp_path)
