import pytest
from scipy.stats import binomtest

from understudy.evaluation.interval import accuracy_interval


@pytest.mark.parametrize(("correct", "images"), [(0, 10), (10, 10), (1, 3), (534, 1000), (1, 1)])
@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.99])
def test_the_interval_is_wilsons(correct: int, images: int, confidence: float) -> None:
    found = accuracy_interval(correct, images, confidence=confidence)

    expected = binomtest(correct, images).proportion_ci(confidence, method="wilson")
    assert found == pytest.approx((expected.low, expected.high), abs=1e-9)
    assert 0 <= found.low <= correct / images <= found.high <= 1


@pytest.mark.parametrize(("correct", "images"), [(0, 0), (3, 2), (-1, 2)])
def test_impossible_counts_are_refused(correct: int, images: int) -> None:
    with pytest.raises(ValueError, match="no share"):
        accuracy_interval(correct, images, confidence=0.95)
