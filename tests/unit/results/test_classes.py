from pathlib import Path
from typing import Any

import pytest

from understudy.results.classes import Classes, classes_of
from understudy.results.comparison import comparison
from understudy.results.evaluations import best_student
from understudy.results.find import find


def told(path: Path) -> Classes:
    record = find(path)
    found = classes_of(record, comparison(record))
    assert found is not None
    return found


def test_confusions_add_up_over_seeds_and_figures_are_means(study: Path) -> None:
    found = told(study)

    assert (found.line.name, found.line.checkpoint, len(found.names)) == ("student", "last", 10)
    assert [sum(row) for row in found.confusion] == [3000.0] * 10
    airplane = found.figures[0]
    assert airplane.recall == pytest.approx(0.534)
    assert airplane.before == pytest.approx(0.456)
    assert airplane.images == 1000


def test_among_many_students_validation_chooses_and_never_test(tree: Any) -> None:
    for depth, validation, test in ((8, 0.6, 0.5), (14, 0.5, 0.9)):
        tree.train("student", 1, axes={"depth": depth}, validation=validation)
        tree.evaluate(1, top1={"student": test}, axes={"depth": depth})

    student = best_student(comparison(find(tree.study())))

    assert student is not None
    assert student.axes == {"depth": "8"}


def test_a_study_that_was_not_evaluated_has_no_figures_by_class(tree: Any) -> None:
    tree.train("student", 1)
    record = find(tree.study())

    assert classes_of(record, comparison(record)) is None


def test_evaluations_with_other_classes_are_left_out(tree: Any) -> None:
    tree.train("student", 1)
    tree.train("student", 2)
    tree.evaluate(1, top1={"student": 0.5}, classes=("a", "b"))
    tree.evaluate(2, top1={"student": 0.5}, classes=("a", "c"))

    found = told(tree.study())

    assert found.names == ("a", "b")
    assert [sum(row) for row in found.confusion] == [1000.0, 1000.0]
