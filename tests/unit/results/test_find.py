from pathlib import Path
from typing import Any

import pytest

from understudy.results.comparison import comparison
from understudy.results.errors import ReportError
from understudy.results.find import find
from understudy.results.findings import findings
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


def test_two_studies_of_one_name_stay_apart(tree: Any) -> None:
    """As one study run with two numbers of labels, in folders that its changes tell apart."""
    for labels, level in ((5, 0.3), (50, 0.5)):
        tree.entries = []
        for node in ("baseline", "teacher", "student"):
            tree.train(node, 1, settings={"labels": labels}, validation=level)
        folder = tree.study("few-labels", changed={"labels.per_class": labels})
        folder.rename(folder.with_name(f"few-labels-{labels}"))

    record = find(tree.root)
    contrasts = comparison(record).contrasts

    assert {entry.study for entry in record.entries} == {"few-labels-5", "few-labels-50"}
    assert all(one.of.study == one.against.study for one in contrasts)
    assert {one.differences["val_top1"].mean for one in contrasts} == {0.0}
    told = [finding.text for finding in findings(record, comparison(record))]
    assert "few-labels-5 ran with labels.per_class=5." in told
    assert any(text.startswith("few-labels-50: ") for text in told)


def test_stages_run_one_by_one_from_recipes_of_one_name_are_told_apart(tree: Any) -> None:
    for node, stage in (("baseline", "train"), ("teacher", "finetune"), ("student", "distill")):
        run = tree.train(node, 1)["run"]
        path = tree.root / run / "summary.json"
        path.write_text(path.read_text().replace(f'"name": "{node}"', '"name": "digits"'))
        assert stage in run

    contrasts = comparison(find(tree.root)).contrasts

    assert {(one.role, one.of.name, one.against.name) for one in contrasts} == {
        ("baseline", "digits, distill", "digits, train"),
        ("teacher", "digits, distill", "digits, finetune"),
    }


def test_a_long_value_that_a_study_ran_with_is_named_and_not_written_out(tree: Any) -> None:
    tree.train("baseline", 1)
    changed = {"epochs": 2, "views": [{"transforms": [{"kind": "horizontal_flip"}] * 3}]}
    record = find(tree.study(changed=changed))

    told = [finding.text for finding in findings(record, comparison(record))]

    assert "The study ran with epochs=2, views of its own." in told


def test_where_images_lie_is_nobodys_business_whichever_parameter_says_it(tree: Any) -> None:
    changed = {"data.path": "/home/a", "elsewhere.path": "/home/b", "others.root": "/home/c"}
    tree.train("baseline", 1)

    record = find(tree.study(changed={**changed, "elsewhere.size": 32}))

    told = " ".join(one.text for one in findings(record, comparison(record)))
    assert "The study ran with elsewhere.size=32." in told
    assert "/home" not in told
