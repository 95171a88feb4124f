"""The rows that the SimCLR-S2 project published: what its own page says, computed from them.

The figures below were computed once, by hand, from the 180 rows; the files themselves are no part
of this project. Where they do not lie beside the checkout, nothing is compared.
"""

from pathlib import Path
from statistics import fmean, median

import pytest
from tests.unit.results.browser.test_observed import asked
from tests.unit.results.browser.test_of_files import read

from understudy.results.browser.observed import answers
from understudy.results.browser.sheet import Sheet
from understudy.results.browser.view import View, first_view

FOLDER = Path(__file__).parents[5] / "shared" / "seeds" / "results"
FILES = [FOLDER / f"mids_{name}_results.csv" for name in ("distill", "finetune")]
PERCENT = ("1", "3", "10", "25", "50", "100")
ADAM_MINUS_SGD = {
    "balanced": (-0.0498, -0.0190, 0.0138, 0.0289, 0.0482, 0.0032),
    "expanded": (0.0086, -0.0905, -0.0152, 0.0043, -0.0581, -0.0339),
}
TEACHER_AND_XCEPTION = {
    "balanced": (
        (0.7800, 0.7953, 0.8356, 0.8456, 0.8448, 0.8485),
        (0.7783, 0.7938, 0.8349, 0.8446, 0.8445, 0.8476),
    ),
    "expanded": (
        (0.7516, 0.7812, 0.7983, 0.8001, 0.7898, 0.8254),
        (0.7288, 0.7909, 0.8029, 0.7760, 0.8111, 0.8419),
    ),
}


@pytest.fixture(scope="module")
def sheet() -> Sheet:
    missing = [path.name for path in FILES if not path.exists()]
    if missing:
        pytest.skip(f"The published rows are not here: {missing} in {FOLDER}.")
    return read(*FILES)


def test_180_students_are_told_from_36_teachers(sheet: Sheet) -> None:
    assert [run.axes["role"] for run in sheet.runs].count("student") == 180
    assert [run.axes["role"] for run in sheet.runs].count("teacher") == 36
    assert all(run.teacher is not None for run in sheet.runs if run.axes["role"] == "student")
    assert first_view(sheet) == View("f1", "split_percent", "model", "labeling")


def test_students_follow_their_teachers(sheet: Sheet) -> None:
    question = asked(sheet, "student − teacher")

    (found,) = answers(sheet, question, "f1", by=[], among=sheet.chosen())

    assert (found.pairs, found.higher, found.found.n) == (180, 55, 36)
    assert found.found.mean == pytest.approx(-0.0016, abs=5e-5)
    assert not found.found.is_shown
    odd = {"model": "CA_sgd", "labeling": "expanded"}
    others = [
        place for place in sheet.chosen() if not odd.items() <= sheet.runs[place].axes.items()
    ]
    distances = [
        abs(sheet.runs[of].figures["f1"] - sheet.runs[against].figures["f1"])
        for of, against in question.pairs
        if of in set(others)
    ]
    assert len(distances) == 150
    assert median(distances) == pytest.approx(0.0016, abs=5e-5)
    small = [place for place in others if sheet.runs[place].axes["arch"] == "Xception"]
    (xception,) = answers(sheet, question, "f1", by=[], among=small)
    assert (xception.pairs, xception.higher) == (30, 5)
    assert xception.found.mean == pytest.approx(-0.0011, abs=5e-5)
    assert max(xception.found.values) == pytest.approx(0.0008, abs=5e-5)


@pytest.mark.parametrize("labeling", ["balanced", "expanded"])
def test_the_smallest_student_beside_its_teacher_by_percent(sheet: Sheet, labeling: str) -> None:
    small = [
        place
        for place in sheet.chosen()
        if sheet.runs[place].axes["arch"] == "Xception"
        and sheet.runs[place].axes["labeling"] == labeling
    ]
    question = asked(sheet, "student − teacher")
    found = answers(sheet, question, "f1", by=["split_percent"], among=small)

    teachers, students = TEACHER_AND_XCEPTION[labeling]
    assert [one.setting for one in found[1:]] == [(one,) for one in PERCENT]
    for one, taught, learned in zip(found[1:], teachers, students, strict=True):
        assert one.found.mean == pytest.approx(learned - taught, abs=1.1e-4)
        own = [at for at in small if sheet.runs[at].axes["split_percent"] == one.setting[0]]
        assert fmean(sheet.runs[at].figures["f1"] for at in own) == pytest.approx(
            learned, abs=5.1e-5
        )


@pytest.mark.parametrize("labeling", ["balanced", "expanded"])
def test_adam_and_sgd_by_percent_and_scheme(sheet: Sheet, labeling: str) -> None:
    question = asked(sheet, "CA_adam − CA_sgd")

    found = answers(sheet, question, "f1", by=["labeling", "split_percent"], among=sheet.chosen())

    told = {one.setting: one for one in found}
    for percent, expected in zip(PERCENT, ADAM_MINUS_SGD[labeling], strict=True):
        one = told[labeling, percent]
        assert one.found.mean == pytest.approx(expected, abs=5.1e-5)
        assert (one.pairs, one.found.n, one.found.low) == (5, 1, None)


def test_few_curves_fall_from_half_of_the_labels_to_all(sheet: Sheet) -> None:
    question = asked(sheet, "split_percent 100 − 50")

    every, *each = answers(sheet, question, "f1", by=["labeling", "model"], among=sheet.chosen())

    assert (every.pairs, every.pairs - every.higher) == (30, 5)
    falling = [one.setting for one in each if one.higher < one.pairs]
    assert falling == [("balanced", "CA_adam")]


def test_its_f_half_is_not_one(sheet: Sheet) -> None:
    (told,) = (note for note in sheet.notes if "is not what" in note)
    assert told.startswith("f0.5 is not what tp, fp, tn and fn give in 206 of 216 rows")
