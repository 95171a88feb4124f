from pathlib import Path
from typing import Any

import pytest

from understudy.results.comparison import comparison
from understudy.results.errors import ReportError
from understudy.results.find import find
from understudy.results.rows import rows_of


@pytest.mark.parametrize("name", ["", "study.json"])
def test_a_study_is_found_by_its_folder_and_by_its_file(study: Path, name: str) -> None:
    assert find(study / name).name == "few-labels"


def test_a_folder_of_runs_holds_its_studies_and_what_stands_alone(run_main_job: Any) -> None:
    tree = run_main_job()
    tree.study()
    alone = tree.train("student", 9, settings={"depth": 14})

    record = find(tree.root)

    assert {entry.study for entry in record.entries} == {"few-labels", ""}
    assert [entry.run.id for entry in record.entries if not entry.study] == [alone["run"]]
    assert len(record.entries) == 19


def test_runs_without_a_study_are_compared_by_their_parents(run_main_job: Any) -> None:
    tree = run_main_job()

    contrasts = comparison(find(tree.root)).contrasts

    assert {(one.role, one.of.name, one.against.name) for one in contrasts} == {
        ("baseline", "student", "baseline"),
        ("teacher", "student", "teacher"),
    }
    assert {one.differences["test_top1"].n for one in contrasts} == {3}


@pytest.mark.parametrize("name", ["", "summary.json"])
def test_one_run_is_found_with_the_evaluation_that_tells_of_it(
    run_main_job: Any, name: str
) -> None:
    tree = run_main_job(seeds=(1,))
    run = next(entry["run"] for entry in tree.entries if entry["node"] == "student")

    rows = rows_of(find(tree.root / run / name))

    assert [(row.run, row.checkpoint, row.test_top1) for row in rows] == [
        (run, "last", 0.53),
        (run, "best", 0.534),
    ]


def test_a_path_that_does_not_exist_is_refused_with_a_way_out(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match=r"it does not exist. Give the directory of a study"):
        find(tmp_path / "none")


def test_a_folder_without_runs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="no study and no run to report"):
        find(tmp_path)
