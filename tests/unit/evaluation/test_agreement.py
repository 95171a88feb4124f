import numpy as np
import pytest

from understudy.evaluation.agreement import agreement
from understudy.evaluation.predict import Predictions


def naming(*answers: int, index: list[int], classes: int = 3) -> Predictions:
    return Predictions(np.eye(classes, dtype=np.float32)[list(answers)], np.array(index))


def test_agreement_is_the_share_of_equal_answers_image_by_image() -> None:
    first = naming(0, 1, 2, 0, index=[7, 8, 9, 10])
    second = naming(1, 0, 2, 1, index=[10, 7, 9, 8])

    assert agreement(first, second) == 0.75
    assert agreement(second, first) == 0.75
    assert agreement(first, first) == 1


def test_answers_to_different_images_do_not_compare() -> None:
    with pytest.raises(ValueError, match="same images"):
        agreement(naming(0, 1, index=[1, 2]), naming(0, 1, index=[1, 3]))


def test_answers_among_different_classes_do_not_compare() -> None:
    with pytest.raises(ValueError, match="found 3 and 4"):
        agreement(naming(0, index=[1]), naming(0, index=[1], classes=4))
