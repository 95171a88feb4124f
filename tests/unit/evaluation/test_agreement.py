import numpy as np
import pytest

from understudy.evaluation.agreement import agreement, disagreement
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


def test_disagreement_is_averaged_over_all_pairs_of_members() -> None:
    index = [1, 2, 3, 4]
    members = [
        naming(0, 0, 0, 0, index=index),
        naming(0, 0, 0, 1, index=index),
        naming(1, 1, 1, 1, index=index),
    ]

    assert disagreement(members) == pytest.approx((0.25 + 1.0 + 0.75) / 3)
    assert disagreement([members[0], members[0]]) == 0


def test_one_member_disagrees_with_nobody() -> None:
    with pytest.raises(ValueError, match="found 1"):
        disagreement([naming(0, index=[1])])
