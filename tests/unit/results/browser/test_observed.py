from itertools import product
from math import sqrt
from pathlib import Path
from statistics import fmean, stdev

import pytest
from scipy.stats import ttest_1samp
from tests.unit.results.browser.rows_of_others import (
    GAINS,
    PERCENT,
    PRETRAININGS,
    SCHEMES,
    level,
    published,
)
from tests.unit.results.browser.test_of_files import read

from understudy.results.browser.observed import Answer, Question, answers, questions, splits
from understudy.results.browser.sheet import Axis, Measure, Run, Sheet


def asked(sheet: Sheet, title: str) -> Question:
    return next(one for one in questions(sheet) if one.title == title)


def told(sheet: Sheet, title: str, by: list[str]) -> dict[tuple[str, ...], Answer]:
    found = answers(sheet, asked(sheet, title), "auc", by=by, among=sheet.chosen())
    return {one.setting: one for one in found}


def test_students_are_held_against_their_own_teachers(tmp_path: Path) -> None:
    sheet = read(*published(tmp_path))

    found = told(sheet, "student − teacher", ["labeling", "split_percent"])

    assert found[()].pairs == 72
    assert found[()].higher == 24
    assert found[()].found.mean == pytest.approx(fmean(GAINS.values()))
    assert list(found)[1:] == [(s, str(p)) for s, p in product(SCHEMES, PERCENT)]
    assert all(one.pairs == 9 for setting, one in found.items() if setting)


def test_two_optimizers_are_held_against_each_other(tmp_path: Path) -> None:
    sheet = read(*published(tmp_path))

    found = told(sheet, "near_adam − near_sgd", ["labeling"])

    assert {setting: one.pairs for setting, one in found.items()} == {
        (): 24,
        ("one",): 12,
        ("any",): 12,
    }
    assert found[()].found.mean == pytest.approx(0.03)
    assert found[()].higher == 24


def test_the_last_step_of_labels_is_asked_for(tmp_path: Path) -> None:
    sheet = read(*published(tmp_path))

    found = told(sheet, "split_percent 100 − 50", ["labeling", "model"])

    steps = {
        (scheme, model): level(model, scheme, 100) - level(model, scheme, 50)
        for scheme, model in product(SCHEMES, PRETRAININGS)
    }
    assert {key: one.found.mean for key, one in found.items() if key} == pytest.approx(steps)
    assert found[()].higher == 0


def test_students_of_one_teacher_are_one_observation_of_it(tmp_path: Path) -> None:
    """Their spread says how students differ, and nothing of what another teacher would do."""
    sheet = read(*published(tmp_path))

    one_pair_of_teachers = told(sheet, "near_adam − near_sgd", ["labeling", "split_percent"])
    per_setting = told(sheet, "student − teacher", ["split_percent"])

    for setting, one in one_pair_of_teachers.items():
        if setting:
            assert (one.pairs, one.found.n, one.found.low) == (3, 1, None)
    assert all(one.found.n == 6 for setting, one in per_setting.items() if setting)


def test_an_interval_is_that_of_student_over_groups() -> None:
    gains = {0: [0.01, 0.03], 1: [0.02, 0.05], 2: [-0.01, 0.0]}
    runs = [Run(f"t{at}", {"role": "teacher", "at": str(at)}, {"f1": 0.5}) for at in gains]
    runs += [
        Run(f"s{at}{place}", {"role": "student", "at": str(at)}, {"f1": 0.5 + gain}, teacher=at)
        for at, several in gains.items()
        for place, gain in enumerate(several)
    ]
    axes = (Axis("role", ("student", "teacher"), ("student",)), Axis("at", ("0", "1", "2")))
    sheet = Sheet(tuple(runs), axes, (Measure("f1", "F1", 100.0, 2, " %", " points"),))

    (found, *_) = answers(sheet, questions(sheet)[0], "f1", by=[], among=sheet.chosen())

    means = [fmean(several) for several in gains.values()]
    low, high = ttest_1samp(means, 0).confidence_interval(0.95)
    assert (found.pairs, found.found.n) == (6, 3)
    assert found.found.mean == pytest.approx(fmean(means))
    assert (found.found.low, found.found.high) == pytest.approx((low, high))
    assert found.found.sd == pytest.approx(stdev(means))
    assert sqrt(3) * (high - found.found.mean) / stdev(means) == pytest.approx(4.302653, rel=1e-6)


def test_what_shares_a_baseline_is_one_observation_too() -> None:
    """Two students of two teachers, held against one run without either."""
    runs = (
        Run("b", {"role": "baseline"}, {"f1": 0.4}),
        Run("t1", {"role": "teacher"}, {"f1": 0.6}),
        Run("t2", {"role": "teacher"}, {"f1": 0.6}),
        Run("s1", {"role": "student"}, {"f1": 0.5}, teacher=1, baseline=0),
        Run("s2", {"role": "student"}, {"f1": 0.7}, teacher=2, baseline=0),
    )
    sheet = Sheet(runs, (), (Measure("f1", "F1", 100.0, 2, " %", " points"),))

    of_teachers, of_baselines = (
        answers(sheet, one, "f1", by=[], among=range(5))[0] for one in questions(sheet)
    )

    assert (of_teachers.pairs, of_teachers.found.n) == (2, 2)
    assert (of_baselines.pairs, of_baselines.found.n) == (2, 1)
    assert of_baselines.found.mean == pytest.approx(0.2)


def test_rows_that_are_filtered_away_take_their_pairs_along(tmp_path: Path) -> None:
    sheet = read(*published(tmp_path))
    large = [place for place in sheet.chosen() if sheet.runs[place].axes["arch"] == "net101"]

    (found,) = answers(sheet, asked(sheet, "student − teacher"), "auc", by=[], among=large)

    assert (found.pairs, found.higher) == (24, 24)
    assert found.found.mean == pytest.approx(GAINS["net101"])
    assert answers(sheet, asked(sheet, "student − teacher"), "auc", by=["model"], among=[]) == []


def test_a_question_is_never_split_by_what_it_is_about(tmp_path: Path) -> None:
    sheet = read(*published(tmp_path))
    view = {"along": "split_percent", "panels": "labeling", "group": "model"}

    found = {one.title: splits(sheet, one, **view) for one in questions(sheet)}

    assert found == {
        "student − teacher": ["labeling", "split_percent"],
        "near_adam − near_sgd": ["labeling", "split_percent"],
        "split_percent 100 − 50": ["labeling", "model"],
    }
    only = asked(sheet, "near_adam − near_sgd")
    assert splits(sheet, only, along="split_percent", panels="model", group="") == ["split_percent"]
