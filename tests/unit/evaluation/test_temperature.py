import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from understudy.core.errors import DataError, DivergedError
from understudy.evaluation.temperature import LEAST, MOST, NONE, fitted, softmax


def drawn(
    count: int, *, sharper: float, classes: int = 5
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Labels drawn from the softmax of logits, which are then made `sharper` times too sure."""
    random = np.random.default_rng(0)
    logits = random.normal(size=(count, classes)) * 2
    shares = softmax(logits, temperature=1.0)
    labels = np.array([random.choice(classes, p=row) for row in shares])
    return sharper * logits, labels


@pytest.mark.parametrize("sharper", [0.4, 1.0, 3.0])
def test_a_known_exaggeration_is_found(sharper: float) -> None:
    logits, labels = drawn(20_000, sharper=sharper)

    found = fitted(logits, labels)

    assert found.value == pytest.approx(sharper, rel=0.03)
    assert found.labels == 20_000
    assert found.ece_calibrated is not None
    assert found.ece_calibrated < 0.015


def test_the_calibration_error_falls_where_a_network_is_too_sure() -> None:
    logits, labels = drawn(2000, sharper=4.0)

    found = fitted(logits, labels)

    assert found.ece is not None and found.ece_calibrated is not None
    assert found.ece_calibrated < found.ece / 3


def test_without_labels_nothing_changes() -> None:
    found = fitted(np.zeros((0, 3)), np.zeros(0, dtype=np.int64))

    assert found == NONE
    assert found.value == 1.0


@pytest.mark.parametrize("count", [1, 5, 50])
def test_a_few_labels_all_answered_right_do_not_make_it_infinitely_sure(count: int) -> None:
    """The likelihood alone is best at temperature 0, where every probability is 0 or 1."""
    logits = np.tile([4.0, 0.0, 0.0], (count, 1))

    found = fitted(logits, np.zeros(count, dtype=np.int64))

    assert 0.5 < found.value <= 1.0


@given(seed=st.integers(0, 1000), count=st.integers(1, 30), scale=st.floats(1e-3, 1e4))
@settings(max_examples=40, deadline=None)
def test_it_is_bounded_and_keeps_every_order(seed: int, count: int, scale: float) -> None:
    random = np.random.default_rng(seed)
    logits = random.normal(size=(count, 4)) * scale
    labels = random.integers(0, 4, count)

    found = fitted(logits, labels)

    assert LEAST <= found.value <= MOST
    shares = softmax(logits, temperature=found.value)
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    assert (shares[np.arange(count), logits.argmax(axis=1)] == shares.max(axis=1)).all()


def test_labels_that_are_none_are_refused() -> None:
    with pytest.raises(DataError, match="-1"):
        fitted(np.zeros((2, 3)), np.array([0, -1]))


def test_broken_logits_are_refused() -> None:
    with pytest.raises(DivergedError):
        fitted(np.full((2, 3), np.nan), np.array([0, 1]))
