import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from understudy.evaluation.calibration import calibration


def literal_ece(logits: np.ndarray, labels: np.ndarray) -> float:
    """The definition, image by image and bin by bin."""
    total = 0.0
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    for place in range(15):
        hits, confidences = [], []
        for row, label in zip(probabilities, labels, strict=True):
            if place / 15 < row.max() <= (place + 1) / 15:
                hits.append(float(row.argmax() == label))
                confidences.append(float(row.max()))
        if hits:
            total += len(hits) / len(labels) * float(abs(np.mean(hits) - np.mean(confidences)))
    return total


@settings(deadline=None, max_examples=50)  # the oracle is slow on a busy machine
@given(seed=some.integers(0, 1000), images=some.integers(1, 80), scale=some.floats(0.1, 5))
def test_the_error_is_the_definition(seed: int, images: int, scale: float) -> None:
    random = np.random.default_rng(seed)
    logits = scale * random.normal(size=(images, 4))
    labels = random.integers(0, 4, images)

    found = calibration(logits, labels)

    assert found.ece == pytest.approx(literal_ece(logits, labels), abs=1e-9)
    assert sum(kept.share for kept in found.bins) == pytest.approx(1)


def test_a_classifier_as_sure_as_it_is_right_has_no_error() -> None:
    three_quarters = np.log([0.75, 0.25])
    logits, labels = np.tile(three_quarters, (4, 1)), np.array([0, 0, 0, 1])

    found = calibration(logits, labels)

    assert found.ece == pytest.approx(0, abs=1e-12)
    assert len(found.bins) == 1
    assert found.bins[0] == pytest.approx((0.75, 0.75, 1.0))


def test_a_classifier_that_is_always_sure_and_always_wrong_has_the_whole_error() -> None:
    found = calibration(np.array([[100.0, 0.0]]), np.array([1]))

    assert found.ece == pytest.approx(1)


def test_the_figures_are_json() -> None:
    found = calibration(np.eye(3), np.arange(3)).as_json()

    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert set(found["reliability"][0]) == {"confidence", "accuracy", "share"}
