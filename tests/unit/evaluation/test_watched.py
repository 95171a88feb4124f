import math
from typing import get_args

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.metrics import f1_score, roc_auc_score

from understudy.core.monitors import MONITORS, MonitorName
from understudy.evaluation.watched import mean_area_under_curve, watched

NAMES = ("ant", "bee", "cat")


def answers(classes: int, *, ties: bool = False) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(1)
    labels = random.integers(0, classes, 200)
    logits = random.normal(size=(200, classes)) + 1.5 * np.eye(classes)[labels]
    return (logits.round() if ties else logits), labels


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("classes", [2, 3])
def test_areas_are_those_of_scikit_learn(classes: int, ties: bool) -> None:
    logits, labels = answers(classes, ties=ties)
    shares = softmax(logits, axis=1).round(12)

    expected = (
        roc_auc_score(labels, shares[:, 1])
        if classes == 2
        else roc_auc_score(labels, shares, multi_class="ovr")
    )
    assert mean_area_under_curve(shares, labels) == pytest.approx(expected, abs=1e-12)


def test_an_area_over_images_of_one_class_is_no_number() -> None:
    assert math.isnan(
        mean_area_under_curve(
            np.random.default_rng(1).normal(size=(5, 2)), np.zeros(5, dtype=np.int64)
        )
    )


def test_a_class_without_an_image_counts_neither_way() -> None:
    logits, labels = answers(2)
    wider = np.column_stack([logits, np.full(len(logits), -9.0)])

    assert mean_area_under_curve(wider, labels) == pytest.approx(
        mean_area_under_curve(logits, labels), abs=1e-12
    )


@pytest.mark.parametrize("monitor", get_args(MonitorName))
def test_every_figure_that_may_judge_is_there_beside_accuracy_and_nll(
    monitor: MonitorName,
) -> None:
    logits, labels = answers(3)

    seen = watched(logits, labels, classes=NAMES, monitor=monitor)

    assert set(seen) == {"top1", "nll", monitor}
    f1 = f1_score(labels, logits.argmax(axis=1), average="macro")
    assert monitor != "macro_f1" or seen["macro_f1"] == pytest.approx(f1)


def test_the_list_says_of_each_which_way_is_better() -> None:
    logits, labels = answers(3)
    assert list(MONITORS) == list(get_args(MonitorName))
    for name in get_args(MonitorName):
        good, bad = (
            MONITORS[name].score(watched(one, labels, classes=NAMES, monitor=name)[name])
            for one in (5 * np.eye(3)[labels], logits)
        )
        assert good > bad
