import tracemalloc

import numpy as np
import pytest
from sklearn.metrics import f1_score

from understudy.evaluation.intervals import macro_f1, over_images, wilson


@pytest.mark.parametrize(
    ("right", "images", "low", "high"),
    [  # Newcombe 1998, table I: method 3
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_a_share_has_the_published_interval(
    right: int, images: int, low: float, high: float
) -> None:
    assert wilson(right, images) == pytest.approx((low, high), abs=5e-5)


def test_everything_right_is_not_certainty() -> None:
    found = wilson(20, 20)

    assert found.high == 1.0
    assert found.low == pytest.approx(1 - wilson(0, 20).high)


@pytest.mark.parametrize(("right", "images"), [(1, 0), (5, 4), (-1, 4)])
def test_what_is_no_share_is_refused(right: int, images: int) -> None:
    with pytest.raises(ValueError, match="no share"):
        wilson(right, images)


def test_macro_f1_is_that_of_scikit_learn() -> None:
    random = np.random.default_rng(1)
    truth, answers = random.integers(0, 3, 60), random.integers(0, 4, 60)
    confusion = np.zeros((5, 5), dtype=int)  # the fifth class never occurs
    np.add.at(confusion, (truth, answers), 1)

    assert macro_f1(confusion) == pytest.approx(f1_score(truth, answers, average="macro"))


def test_drawing_images_again_agrees_with_the_formula_for_a_share() -> None:
    confusion = [[300, 100], [100, 300]]

    drawn = over_images(confusion, lambda one: float(one.trace() / one.sum()), seed=0)

    assert drawn == pytest.approx(wilson(600, 800), abs=0.005)
    assert drawn == over_images(confusion, lambda one: float(one.trace() / one.sum()), seed=0)


def test_a_thousand_classes_take_no_gigabytes() -> None:
    confusion = np.diag(np.full(400, 7)) + np.eye(400, k=1, dtype=int)
    tracemalloc.start()

    over_images(confusion.tolist(), macro_f1, seed=0)

    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 40e6, "all draws at once are 1000 x 400 x 400 counts, 1.3 GB"


def test_no_images_have_no_interval() -> None:
    with pytest.raises(ValueError, match="without images"):
        over_images([[0, 0], [0, 0]], macro_f1, seed=0)
