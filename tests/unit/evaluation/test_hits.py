import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import top_k_accuracy_score

from understudy.core.errors import DataError
from understudy.evaluation.hits import hits


@given(st.integers(0, 2**32 - 1), st.integers(6, 20))
def test_both_shares_are_those_of_scikit_learn(seed: int, classes: int) -> None:
    random = np.random.default_rng(seed)
    scores, labels = random.normal(size=(40, classes)), random.integers(0, classes, 40)

    found = hits(scores, labels)

    known = np.arange(classes)
    assert found.top1 == pytest.approx(top_k_accuracy_score(labels, scores, k=1, labels=known))
    assert found.top5 == pytest.approx(top_k_accuracy_score(labels, scores, k=5, labels=known))


@given(st.integers(0, 2**32 - 1))
def test_what_is_right_at_first_is_among_the_first_five(seed: int) -> None:
    random = np.random.default_rng(seed)
    scores, labels = random.integers(0, 3, (30, 8)), random.integers(0, 8, 30)

    found = hits(scores.astype(float), labels)

    assert found.top5 is not None
    assert found.top5 >= found.top1


def test_a_class_that_was_not_named_is_never_right_however_few_were() -> None:
    scores = np.full((1, 8), -np.inf)
    scores[0, 3] = 1.0

    assert hits(scores, np.array([3])) == (1.0, 1.0)
    assert hits(scores, np.array([0])) == (0.0, 0.0)


def test_of_equal_scores_the_first_class_comes_first() -> None:
    scores = np.zeros((1, 7))

    assert [hits(scores, np.array([label])).top1 for label in (0, 1)] == [1, 0]
    assert [hits(scores, np.array([label])).top5 for label in (4, 5)] == [1, 0]


def test_among_five_classes_the_first_five_tell_nothing() -> None:
    assert hits(np.eye(5), np.arange(5)).top5 is None


def test_no_image_is_an_error() -> None:
    with pytest.raises(DataError, match="no labelled image"):
        hits(np.zeros((0, 6)), np.zeros(0, np.int64))
