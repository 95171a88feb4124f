from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from understudy.core.errors import DataError, UsageError
from understudy.core.settings import checked
from understudy.data.labels import FewLabelsSettings, few_labels

CLASSES = ("daisy", "rose", "tulip")
LABELS = np.repeat([0, 1, 2, -1], [40, 30, 20, 10])
ALL = np.arange(90)


def few(candidates: NDArray[np.int64] = ALL, seed: int = 0, **settings: Any) -> NDArray[np.int64]:
    return few_labels(
        LABELS,
        candidates,
        classes=CLASSES,
        settings=FewLabelsSettings.model_validate(settings),
        split="train",
        seed=seed,
    )


def counts_of(chosen: NDArray[np.int64]) -> list[int]:
    counted = Counter(LABELS[chosen].tolist())
    return [counted[label] for label in range(3)]


@given(per_class=st.integers(1, 20), seed=st.integers(0, 2**63))
def test_every_class_gets_equally_many(per_class: int, seed: int) -> None:
    chosen = few(per_class=per_class, seed=seed)

    assert counts_of(chosen) == [per_class] * 3
    assert len(set(chosen)) == len(chosen)


@given(st.integers(1, 20), st.integers(1, 20), st.integers(0, 99))
def test_fewer_labels_are_a_subset_of_more(one: int, other: int, seed: int) -> None:
    fewer, more = sorted((one, other))

    assert set(few(per_class=fewer, seed=seed)) <= set(few(per_class=more, seed=seed))


@given(st.floats(0.001, 1), st.floats(0.001, 1), st.integers(0, 99))
def test_smaller_fractions_are_a_subset_of_larger(one: float, other: float, seed: int) -> None:
    smaller, larger = sorted((one, other))

    assert set(few(fraction=smaller, seed=seed)) <= set(few(fraction=larger, seed=seed))


def test_a_fraction_keeps_the_proportions() -> None:
    assert counts_of(few(fraction=0.2)) == [8, 6, 4]


def test_even_a_tiny_fraction_leaves_one_of_each_class() -> None:
    assert counts_of(few(fraction=0.001)) == [1, 1, 1]


def test_fraction_and_number_follow_one_order() -> None:
    assert set(few(per_class=4)) <= set(few(fraction=0.2))


def test_without_a_number_all_labels_may_be_used() -> None:
    np.testing.assert_array_equal(few(), ALL)
    np.testing.assert_array_equal(few(fraction=1.0), ALL)


@given(st.permutations(range(0, 90, 2)))
def test_the_order_of_the_candidates_does_not_matter(candidates: list[int]) -> None:
    chosen = few(np.array(candidates), per_class=3)

    np.testing.assert_array_equal(chosen, few(np.arange(0, 90, 2), per_class=3))
    assert set(chosen) <= set(candidates)


def test_seeds_draw_different_labels() -> None:
    draws = {tuple(few(per_class=5, seed=seed)) for seed in range(20)}

    assert len(draws) == 20


def test_the_choice_is_the_same_on_every_machine_and_in_every_version() -> None:
    assert few(per_class=3, seed=1).tolist() == [5, 15, 28, 40, 43, 65, 80, 82, 85]


def test_every_candidate_is_drawn_about_equally_often() -> None:
    drawn = np.bincount(np.concatenate([few(per_class=5, seed=seed) for seed in range(2_000)]))

    # Class 0: 2,000 x 5/40 = 250 draws each, standard deviation 14.8; five of them.
    assert np.abs(drawn[:40] - 250).max() < 74


def test_training_and_validation_have_their_own_numbers_and_orders() -> None:
    settings = FewLabelsSettings(per_class=5, validation_per_class=7)

    train, val = (
        few_labels(LABELS, ALL, classes=CLASSES, settings=settings, split=split, seed=0)
        for split in ("train", "val")
    )

    assert (len(train), len(val)) == (15, 21)
    assert not set(train) <= set(val)


def test_asking_for_too_many_says_what_there_is_and_what_to_do() -> None:
    with pytest.raises(DataError) as caught:
        few(per_class=25)

    assert caught.value.exit_code == 3
    assert str(caught.value) == (
        "Cannot label 25 images of class 'tulip': the 'train' split has 20. "
        "Set `labels.per_class` to at most 20, or use a larger split."
    )


def test_all_classes_that_are_too_small_are_named() -> None:
    with pytest.raises(DataError) as caught:
        few(per_class=35)

    assert str(caught.value) == (
        "Cannot label 35 images of each of 2 classes: 'tulip', 'rose': "
        "the 'train' split has 20, 30. "
        "Set `labels.per_class` to at most 20, or use a larger split."
    )


def test_too_few_validation_images_name_the_validation_key() -> None:
    settings = FewLabelsSettings(validation_per_class=5)

    with pytest.raises(
        DataError, match=r"'rose', 'tulip': the 'val' split has 0, 0\. Use a larger"
    ):
        few_labels(LABELS, ALL[:40], classes=CLASSES, settings=settings, split="val", seed=0)
    with pytest.raises(DataError, match=r"Set `labels\.validation_per_class` to at most 3"):
        few_labels(
            LABELS,
            np.r_[0:9, 40:49, 70:73],
            classes=CLASSES,
            settings=settings,
            split="val",
            seed=0,
        )


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"per_class": 5, "fraction": 0.1}, "either `per_class` or `fraction`, not both"),
        (
            {"validation_per_class": 5, "validation_fraction": 0.1},
            "either `validation_per_class` or `validation_fraction`, not both",
        ),
        ({"per_class": 0}, "per_class = 0"),
        ({"fraction": 1.5}, r"fraction = 1\.5"),
        ({"fraction": float("nan")}, "fraction = nan"),
        ({"per_clas": 5}, "did you mean 'per_class'"),
    ],
)
def test_impossible_settings_are_usage_errors(values: dict[str, Any], complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint) as caught:
        checked(FewLabelsSettings, values, origin="recipe")

    assert caught.value.exit_code == 2
