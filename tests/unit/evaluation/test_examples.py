import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from understudy.core.errors import DivergedError
from understudy.evaluation.examples import MOST, examples


def surely(*answers: tuple[int, float]) -> NDArray[np.float64]:
    """Logits over two classes whose softmax gives each answer its probability."""
    shares = np.array([[p, 1 - p] if place == 0 else [1 - p, p] for place, p in answers])
    return np.asarray(np.log(shares))


def test_the_surest_mistakes_come_first_then_what_is_right_but_unsure() -> None:
    logits = surely((1, 0.7), (0, 0.9), (1, 0.99), (0, 0.6), (1, 0.8))

    found = examples(logits, np.zeros(5, dtype=int))

    assert [(one.row, one.why) for one in found] == [
        *[(2, "mistake"), (4, "mistake"), (0, "mistake"), (3, "right"), (1, "right")]
    ]
    assert found[0].answer.place == 1
    assert found[0].answer.probability == pytest.approx(0.99)
    assert found[0].of_label == pytest.approx(0.01)
    assert found[0].teacher is None


def test_a_teacher_tells_what_was_lost_and_what_was_gained() -> None:
    wrong = [(1, 0.99)] * MOST["mistake"]
    student = surely(*wrong, (1, 0.7), (1, 0.8), (0, 0.9), (0, 0.8))
    teacher = surely(*wrong, (1, 0.9), (0, 0.9), (1, 0.6), (0, 0.7))

    found = examples(student, np.zeros(len(student), dtype=int), teacher=teacher)

    after = [(one.row - len(wrong), one.why) for one in found[len(wrong) :]]
    assert after == [(1, "taught otherwise"), (2, "surpassed"), (3, "right")]
    assert found[len(wrong)].teacher is not None
    assert found[len(wrong)].teacher.probability == pytest.approx(0.9)  # type: ignore[union-attr]


@given(st.integers(1, 120), st.integers(2, 5), st.integers(0, 2**32 - 1), st.booleans())
def test_no_image_is_shown_twice_and_no_kind_fills_the_page(
    images: int, classes: int, seed: int, taught: bool
) -> None:
    random = np.random.default_rng(seed)
    logits, teacher = random.normal(size=(2, images, classes))
    labels = random.integers(0, classes, images)

    found = examples(logits, labels, teacher=teacher if taught else None)

    rows = [one.row for one in found]
    assert len(rows) == len(set(rows)) <= sum(MOST.values()) == 48
    for why, most in MOST.items():
        own = [one for one in found if one.why == why]
        assert len(own) <= most
        assert all(
            (one.answer.place == one.label) == (why in ("surpassed", "right")) for one in own
        )
    surest = [one.answer.probability for one in found if one.why == "mistake"]
    assert surest == sorted(surest, reverse=True)
    assert found == examples(logits, labels, teacher=teacher if taught else None)


def test_a_teacher_that_answers_nan_is_an_error() -> None:
    with pytest.raises(DivergedError):
        examples(np.zeros((1, 2)), [0], teacher=np.full((1, 2), np.nan))
