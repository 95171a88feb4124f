from pathlib import Path
from typing import Any

import pytest
from tests.unit.results.test_report import Page

from understudy.results.browser import of_runs
from understudy.results.browser.measures import measures_of
from understudy.results.browser.observed import questions, splits
from understudy.results.browser.of_runs import sheet_of
from understudy.results.browser.section import browser
from understudy.results.browser.sheet import Run, Sheet, worth_browsing
from understudy.results.browser.view import first_view
from understudy.results.comparison import comparison
from understudy.results.find import find
from understudy.results.probes import LINEAR


def read(study: Path) -> Sheet:
    record = find(study)
    found = sheet_of(record, comparison(record), beside=study)
    assert found is not None
    return found


def scaled(tree: Any) -> Path:
    """Teachers and students by fraction, each with its own evaluation."""
    for seed in (1, 2):
        for fraction in (1, 10, 100):
            for method in ("kd", "dkd"):
                axes = {"fraction": fraction, "method": method}
                tree.train("baseline", seed, axes=axes)
                tree.train("teacher", seed, axes=axes)
                tree.train("student", seed, axes=axes, nll=True)
                level = 0.4 + fraction / 1000
                levels = {"baseline": level, "teacher": level + 0.1, "student": level + 0.05}
                tree.evaluate(seed, top1=levels, axes=axes, classes=("a", "b", "c"))
    found: Path = tree.study(reference={"method": "kd"})
    return found


def test_runs_know_their_teachers_baselines_curves_and_confusions(tree: Any) -> None:
    sheet = read(scaled(tree))

    assert len(sheet.chosen()) == 12
    for run in (sheet.runs[place] for place in sheet.chosen()):
        teacher, baseline = (
            sheet.runs[place] for place in (run.teacher, run.baseline) if place is not None
        )
        for other, role, gain in ((teacher, "teacher", -0.05), (baseline, "baseline", 0.05)):
            assert other.axes == {**run.axes, "role": role}
            assert run.figures["test_top1"] - other.figures["test_top1"] == pytest.approx(gain)
        assert set(run.curves) == {"validation accuracy", "training loss", "validation NLL"}
        assert run.confusion is not None
        assert run.confusion[0] == ("a", "b", "c")
        assert [sum(row) for row in run.confusion[1]] == [1000, 1000, 1000]
        assert run.settings["fraction"] == run.axes["fraction"]
        assert run.place == f"../../{run.name.split(' ')[0]}/"


def test_a_study_asks_of_its_reference_too(tree: Any) -> None:
    sheet = read(scaled(tree))

    assert [one.title for one in questions(sheet)] == [
        "student − teacher",
        "student − baseline",
        "dkd − kd",
        "fraction 100 − 10",
    ]
    assert first_view(sheet).along == "fraction"
    assert first_view(sheet).figure == "test_top1"


def test_a_name_that_tells_no_more_than_the_role_is_no_axis(tree: Any) -> None:
    study = scaled(tree)
    assert "model" not in {axis.name for axis in read(study).axes}

    tree.train("augmented", 1, stage="train", axes={"fraction": 1, "method": "kd"})

    assert "model" in {axis.name for axis in read(tree.study()).axes}


def test_a_few_runs_without_axes_are_told_by_the_other_tables(study: Path, tree: Any) -> None:
    assert worth_browsing(read(study)) is None
    assert worth_browsing(read(scaled(tree))) is not None


def test_what_is_too_much_for_a_page_is_left_out_and_said(
    tree: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = scaled(tree)
    monkeypatch.setattr(of_runs, "MOST_ROWS", 20)
    monkeypatch.setattr(of_runs, "MOST_CELLS", 8)
    monkeypatch.setattr(of_runs, "MOST_POINTS", 100)

    sheet = read(study)

    assert len(sheet.runs) == 20
    assert {run.axes["checkpoint"] for run in sheet.runs} == {"last"}
    assert not [run for run in sheet.runs if run.confusion]
    assert max(len(points) for run in sheet.runs for points in run.curves.values()) == 8
    assert "20 of 72 rows" in sheet.notes[0]
    assert "Confusions" in sheet.notes[1]


def test_figures_that_leaked_test_images_touch_carry_their_sign(tree: Any) -> None:
    for fraction in (1, 10):
        axes = {"fraction": fraction}
        tree.train("student", 1, axes=axes)
        leaked = {"leaked": 7} if fraction == 1 else {}
        tree.evaluate(1, axes=axes, top1={"student": 0.5}, **leaked)

    sheet = read(tree.study())

    titles = {one.name: one.title for one in sheet.measures}
    assert titles["test_top1"] == "test accuracy†"
    assert titles["val_top1"] == "validation accuracy"
    assert [note for note in sheet.notes if note.startswith("† 7 test images are identical")]


def test_an_axis_of_very_many_values_is_searched_and_not_ticked(tree: Any) -> None:
    for fraction in range(61):
        tree.train("teacher", 1, axes={"fraction": fraction})
        tree.train("student", 1, axes={"fraction": fraction})
    sheet = read(tree.study())

    page = Page(str(browser(sheet)))

    assert splits(sheet, questions(sheet)[0], along="fraction", panels="", group="") == []
    assert "61 values: search for one in the table of rows." in page.texts
    boxes = [one for tag, one in page.tags if tag == "input" and one.get("type") == "checkbox"]
    assert len(boxes) < 20


def test_where_features_alone_are_judged_their_linear_probe_comes_first() -> None:
    figures = {"parameters": 9.0, "probe.knn20_top1@1%": 0.3, LINEAR: 0.4}
    run = Run("a", axes={}, figures=figures)

    sheet = Sheet((run,), (), measures_of([run]))

    assert sheet.measure.name == LINEAR
    assert [one.title for one in sheet.measures] == ["parameters", "k-NN 20 at 1 %", "linear"]


def test_what_is_fine_tuned_and_taught_nobody_is_no_teacher(tree: Any) -> None:
    tree.train("teacher", 1)
    tree.train("student", 1)
    for augment in ("none", "crop"):
        tree.train("augmented", 1, stage="finetune", axes={"augment": augment})

    found = {(run.axes["role"], run.axes.get("augment")) for run in read(tree.study()).runs}

    assert found == {
        *(("teacher", None), ("student", None)),
        *(("fine-tuned", "none"), ("fine-tuned", "crop")),
    }


def test_a_run_that_taught_under_another_name_stays_beside_those_of_its_own(tree: Any) -> None:
    """Else it would lack where its axis is drawn, and be compared with no other value of it."""
    teacher = tree.train("teacher", 1)
    tree.train("student", 1)
    tree.entries.append({**teacher, "node": "augmented", "axes": {"augment": "all"}})
    tree.train("augmented", 1, stage="finetune", axes={"augment": "none"})

    sheet = read(tree.study(reference={"augment": "none"}))

    roles = {(run.axes["role"], run.axes.get("augment")) for run in sheet.runs}
    assert roles == {
        *(("teacher", None), ("student", None)),
        *(("fine-tuned", "all"), ("fine-tuned", "none")),
    }
    assert "all − none" in [one.title for one in questions(sheet)]


def test_few_students_among_many_others_are_not_all_that_is_shown_first(tree: Any) -> None:
    tree.train("student", 1)
    for task in range(8):
        tree.train("transferred", 1, stage="finetune", axes={"task": str(task)})
    few = read(tree.study())
    assert {few.runs[place].axes["role"] for place in few.chosen()} == {"student"}

    tree.train("transferred", 1, stage="finetune", axes={"task": "8"})
    tree.train("transferred", 1, stage="finetune", axes={"task": "9"})

    many = read(tree.study())
    assert {many.runs[place].axes["role"] for place in many.chosen()} == {"student", "fine-tuned"}


def test_numbers_of_classes_are_an_axis_where_they_differ(tree: Any) -> None:
    for task, classes in (("two", ["a", "b"]), ("three", ["a", "b", "c"])):
        network = {"network": {"classes": classes}}
        tree.train("transferred", 1, stage="finetune", axes={"task": task}, summary=network)
        if task == "two":
            tree.train("pretrain", 1)
            assert "classes" not in {axis.name for axis in read(tree.study()).axes}

    axis = read(tree.study()).axis("classes")
    assert axis is not None
    assert axis.numbers == [2, 3]


def test_what_few_rows_were_varied_in_tells_no_rows_apart_at_first(tree: Any) -> None:
    for task in ("two", "five"):
        for classes, batch in (("2", 32), ("5", 64), ("10", 128)):
            axes = {"classes": classes, "task": task, "batch": batch}
            tree.train("transferred", 1, stage="finetune", axes=axes)
    for augment, validation in (("none", 0.1), ("crop", 0.9)):
        axes = {"classes": "5", "augment": augment}
        tree.train("augmented", 1, stage="finetune", axes=axes, validation=validation)

    view = first_view(read(tree.study()))

    assert "augment" not in view
    assert "task" in (view.group, view.panels)
