from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import fbeta_score, precision_score, recall_score, roc_auc_score

from understudy.core.errors import UsageError
from understudy.evaluation.binary import binary, positive_of
from understudy.evaluation.counts import FROM_COUNTS, Counts, figure_of

CLASSES = ("negative", "positive")


def answers(seed: int, *, images: int = 60, steps: int = 6) -> tuple[Any, Any]:
    """Logits with many equal scores, and labels that they tell something of."""
    draw = np.random.default_rng(seed)
    labels = np.concatenate([[0, 1], draw.integers(0, 2, images - 2)])
    logits = draw.integers(0, steps, (images, 2)) / 2
    logits[np.arange(images), labels] += draw.integers(0, 2, images)
    return logits, labels


@given(st.integers(0, 10**6), st.sampled_from([0, 1]))
def test_figures_are_those_of_scikit_learn(seed: int, place: int) -> None:
    logits, labels = answers(seed)

    found = binary(logits, labels, classes=CLASSES, positive=CLASSES[place]).as_json()

    truth, told = labels == place, logits.argmax(axis=1) == place
    expected = {
        "precision": precision_score(truth, told, zero_division=np.nan),
        "recall": recall_score(truth, told),
        "f1": fbeta_score(truth, told, beta=1.0),
        "f0.5": fbeta_score(truth, told, beta=0.5),
        "auc": roc_auc_score(truth, logits[:, place] - logits[:, 1 - place]),
    }
    assert {k: np.nan if v is None else v for k, v in found.items() if k in expected} == (
        pytest.approx(expected, nan_ok=True)
    )
    assert found["positive"] == CLASSES[place]
    assert found["tp"] + found["fn"] == truth.sum()
    assert found["tp"] + found["fp"] + found["tn"] + found["fn"] == len(labels)


@given(st.integers(0, 10**6))
def test_the_area_is_the_same_seen_from_the_other_class_and_by_any_rising_score(seed: int) -> None:
    logits, labels = answers(seed)

    one, other = (binary(logits, labels, classes=CLASSES, positive=c).auc for c in CLASSES)

    assert one == pytest.approx(other)
    stretched = binary(np.round(8 * logits), labels, classes=CLASSES, positive="positive").auc
    assert stretched == pytest.approx(one)


def test_scores_so_sure_that_softmax_calls_them_equal_are_still_ordered() -> None:
    logits = np.array([[0.0, 800.0], [0.0, 900.0], [0.0, 850.0]])

    assert binary(logits, [0, 1, 1], classes=CLASSES, positive="positive").auc == 1.0


def test_what_is_not_defined_is_none() -> None:
    found = binary([[1.0, 0.0]] * 3, [0, 0, 0], classes=CLASSES, positive="positive").as_json()

    assert {name for name, value in found.items() if value is None} == {
        *("precision", "recall", "f1", "f0.5", "auc")
    }
    assert (found["tn"], found["tp"]) == (3, 0)


def test_f_half_of_seed_000s_first_row_is_not_what_its_file_says() -> None:
    """1.5 P R / (0.5 P + R) stands there, 0.8186; the standard figure is 0.7998."""
    counts = Counts(tp=1888.0, fp=554.0, tn=1475.0, fn=147.0)

    assert figure_of("f1", counts) == pytest.approx(0.8434, abs=5e-5)
    assert figure_of("f0.5", counts) == pytest.approx(0.7998, abs=5e-5)


def test_a_figure_of_nothing_is_none() -> None:
    assert {figure_of(name, Counts(0, 0, 0, 0)) for name in FROM_COUNTS} == {None}


@pytest.mark.parametrize(
    ("classes", "asked", "otherwise", "expected"),
    [
        (("negative", "positive"), None, "negative", "positive"),
        (("irrigated", "other"), None, "other", "irrigated"),
        (("cat", "dog"), None, None, "dog"),
        (("cat", "dog"), "cat", None, "cat"),
        (("cat", "dog", "emu"), None, None, None),
        (("cat", "dog", "emu"), "cat", None, None),
    ],
)
def test_the_class_that_is_looked_for(
    classes: tuple[str, ...], asked: str | None, otherwise: str | None, expected: str | None
) -> None:
    assert positive_of(classes, asked, otherwise=otherwise) == expected


def test_a_class_that_is_not_there_is_refused() -> None:
    with pytest.raises(UsageError, match=r"positive = dgo: no class of these images.*'dog'"):
        positive_of(("cat", "dog"), "dgo", otherwise=None)
