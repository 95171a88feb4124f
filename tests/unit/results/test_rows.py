from pathlib import Path
from typing import Any

import pytest

from understudy.results.find import find
from understudy.results.rows import Row, rows_of

TESTED = ("test_top1", "test_top5", "test_macro_f1", "test_ece", "agreement", "latency_ms")


def one(rows: list[Row], name: str, checkpoint: str, seed: int = 1) -> Row:
    found = [
        row for row in rows if (row.name, row.checkpoint, row.seed) == (name, checkpoint, seed)
    ]
    assert len(found) == 1
    return found[0]


def test_there_is_a_row_for_each_trained_model_and_kept_checkpoint(study: Path) -> None:
    rows = rows_of(find(study))

    assert len(rows) == 3 * (2 + 1 + 2 + 2)
    assert [(row.name, row.checkpoint) for row in rows][:7] == [
        *(("baseline", "last"), ("baseline", "best"), ("pretrain", "last")),
        *(("teacher", "last"), ("teacher", "best"), ("student", "last"), ("student", "best")),
    ]


def test_a_row_joins_what_the_training_and_the_evaluation_say(study: Path) -> None:
    row = one(rows_of(find(study)), "student", "last", seed=2)

    assert (row.study, row.stage, row.seed) == ("few-labels", "distill", 2)
    assert (row.parameters, row.labels, row.steps, row.seconds) == (78_042, 600, 900, 61.5)
    assert (row.precision, row.version) == ("bf16 channels_last", "0.1.0+gabc1234")
    assert (row.val_top1, row.test_top1) == (0.55, 0.54)
    assert row.test_top5 == pytest.approx(0.94)
    assert (row.test_macro_f1, row.test_ece, row.agreement) == (0.535, 0.071, 0.81)
    assert row.latency_ms == 0.31
    assert (study.parent.parent / row.run / "summary.json").is_file()
    assert [parent.split("-")[0] for parent in row.parents] == ["finetune/teacher"]


def test_the_best_checkpoint_has_its_own_figures_and_step(study: Path) -> None:
    rows = rows_of(find(study))

    last, best = one(rows, "student", "last"), one(rows, "student", "best")

    assert (last.steps, best.steps) == (900, 600)
    assert best.test_top1 == pytest.approx(last.test_top1 + 0.004)  # type: ignore[operator]
    assert best.val_top1 == pytest.approx(last.val_top1 + 0.01)  # type: ignore[operator]


def test_a_pretrained_backbone_has_no_accuracy(study: Path) -> None:
    row = one(rows_of(find(study)), "pretrain", "last")

    assert [row.val_top1, *(getattr(row, column) for column in TESTED)] == [None] * 7
    assert row.steps == 900


def test_figures_on_validation_are_never_taken_for_test_figures(tree: Any) -> None:
    tree.train("student", 1)
    tree.evaluate(1, split="val")

    row = one(rows_of(find(tree.study())), "student", "last")

    assert [getattr(row, column) for column in TESTED] == [None] * 6


def test_a_run_of_two_studies_has_the_figures_of_each(tree: Any) -> None:
    shared = tree.train("student", 1)
    tree.evaluate(1, top1={"student": 0.5})
    tree.study("one")
    tree.entries = [shared]
    tree.evaluate(1, top1={"student": 0.6}, settings={"look": 2})
    tree.study("two")

    rows = [row for row in rows_of(find(tree.root)) if row.checkpoint == "last"]

    assert {row.study: row.test_top1 for row in rows} == {"one": 0.5, "two": 0.6}


def test_axes_are_written_as_the_study_says_them(tree: Any) -> None:
    tree.train("student", 1, axes={"depth": 8, "method": "dkd", "terms": [1, 2]})

    row = rows_of(find(tree.study()))[0]

    assert row.axes == {"depth": "8", "method": "dkd", "terms": "[1, 2]"}


def test_runs_that_failed_or_never_began_have_no_row(tree: Any) -> None:
    run = tree.train("student", 1)
    (tree.root / run["run"] / "summary.json").unlink()

    assert rows_of(find(tree.study())) == []
