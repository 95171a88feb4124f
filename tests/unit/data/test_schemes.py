import random
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.core.errors import UsageError
from understudy.core.settings import checked
from understudy.data.labels import FewLabelsSettings, few_labels
from understudy.data.schemes import LEFT_OUT, Called, SchemeSettings, called

IRRIGATED = "Permanently irrigated land"
EXPANDED = (
    *(IRRIGATED, "Rice fields", "Vineyards"),
    *("Fruit trees and berry plantations", "Olive groves"),
)


def scheme(**values: Any) -> SchemeSettings:
    return SchemeSettings.model_validate(values)


def under(
    found: SchemeSettings,
    sets: Sequence[tuple[str, ...] | None],
    splits: Sequence[str] | None = None,
    seed: int = 0,
) -> Called:
    names = [f"{number:06}" for number in range(len(sets))]
    return called(names, sets, splits or [""] * len(sets), found, seed=seed)


def binary(*labels: str, **more: Any) -> SchemeSettings:
    return scheme(classes={"positive": labels}, otherwise="negative", **more)


def test_any_label_of_a_set_makes_an_image_one_of_the_class() -> None:
    sets = [("Vineyards", "Pastures"), ("Pastures",), (IRRIGATED, "Rice fields"), (), None]

    one, any_of_five = (under(binary(*labels), sets) for labels in ([IRRIGATED], EXPANDED))

    assert one.classes == any_of_five.classes == ("negative", "positive")
    assert one.labels.tolist() == [0, 0, 1, 0, -1]
    assert any_of_five.labels.tolist() == [1, 0, 1, 0, -1]
    assert any_of_five.given == ("", "", "", "", "unlabeled")


def test_a_scheme_of_several_classes_leaves_the_others_unlabeled() -> None:
    found = under(
        scheme(classes={"wet": ["Rice"], "dry": ["Vines", "Olives"]}),
        [("Rice",), ("Olives",), ("Town",), ("Vines",)],
    )

    assert found.meaning == {"dry": ("Vines", "Olives"), "wet": ("Rice",)}
    assert found.labels.tolist() == [1, 0, -1, 0]
    assert found.given == ("", "", "unlabeled", "")


def test_the_order_in_which_classes_are_stated_is_of_no_account() -> None:
    one = scheme(classes={"b": ["y"], "a": ["x"]}, otherwise="c")
    other = scheme(classes={"a": ["x"], "b": ["y"]}, otherwise="c")

    assert tuple(one.meaning) == tuple(other.meaning) == ("a", "b", "c")


def test_an_image_of_several_classes_is_refused_or_left_unlabeled() -> None:
    sets = [("Rice", "Vines"), ("Rice",), ("Vines",)]
    classes = {"wet": ["Rice"], "dry": ["Vines"]}

    (refused,) = under(scheme(classes=classes), sets).findings
    left = under(scheme(classes=classes, several="unlabeled"), sets)

    assert (refused.severity, refused.members) == ("error", ("000000: dry and wet",))
    assert "several=unlabeled" in refused.sentence
    assert left.labels.tolist() == [-1, 1, 0]
    assert [one.severity for one in left.findings] == ["note"]


def test_labels_that_no_image_has_are_told_and_a_misspelt_one_is_guessed() -> None:
    found = under(binary("Rice fields", "Vinyards"), [("Rice fields",), ("Vineyards",)])
    none = under(binary("Rice feilds"), [("Rice fields",), ("Vineyards",)])

    assert [(one.kind, one.severity) for one in found.findings] == [("absent label", "warning")]
    assert "Did you mean 'Vineyards'?" in found.findings[0].sentence
    assert [(one.kind, one.severity) for one in none.findings] == [("absent class", "error")]
    assert "Did you mean 'Rice fields'?" in none.findings[0].sentence


def test_a_balanced_sample_keeps_every_rare_image_and_as_many_others() -> None:
    sets = [("rare",)] * 7 + [("common",)] * 90 + [None] * 3

    found = under(binary("rare", sample="balanced"), sets)

    assert Counter(found.labels.tolist()) == {-1: 86, 0: 7, 1: 7}
    assert (found.labels[:7] == 1).all(), "every positive is kept"
    assert Counter(found.given) == {"": 14, "unlabeled": 86}
    assert under(binary("rare", sample="balanced"), sets).labels.tolist() == found.labels.tolist()
    draws = {tuple(under(binary("rare", sample="balanced"), sets, seed=s).labels) for s in range(9)}
    assert len(draws) == 9


def test_of_several_classes_each_keeps_as_many_as_the_rarest() -> None:
    sets = [("a",)] * 5 + [("b",)] * 9 + [("c",)] * 20
    found = under(scheme(classes={"a": ["a"], "b": ["b"]}, otherwise="c", sample="balanced"), sets)

    assert Counter(found.labels.tolist()) == {-1: 19, 0: 5, 1: 5, 2: 5}


def test_given_splits_are_balanced_each_for_itself_and_test_images_stay_out_of_training() -> None:
    sets = [("rare",)] * 3 + [("common",)] * 8 + [("rare",)] * 2 + [("common",)] * 5
    splits = ["train"] * 11 + ["test"] * 7

    found = under(binary("rare", sample="balanced"), sets, splits)

    counts = Counter(zip(found.given, found.labels.tolist(), strict=True))
    assert counts == {
        ("train", 0): 3,
        ("train", 1): 3,
        ("unlabeled", -1): 5,
        ("test", 0): 2,
        ("test", 1): 2,
        (LEFT_OUT, -1): 3,
    }
    assert [one.kind for one in found.findings] == ["not of the scheme"]


def test_a_class_that_validation_lacks_takes_the_others_nothing() -> None:
    sets = [("rare",), ("common",), ("common",), ("common",)]

    found = under(binary("rare", sample="balanced"), sets, ["train", "train", "val", "val"])

    assert found.labels.tolist() == [1, 0, 0, 0]


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"classes": {"positive": ["a"]}}, "name the others with `otherwise`"),
        ({"classes": {"a": ["x"]}, "otherwise": "a"}, "is one of `classes`"),
        ({"classes": {"a": ["x"], "b": []}}, "'b' has no label"),
        ({"classes": {"a": ["x"], "b": ["x", "y"]}}, "'x' stands in several"),
        ({"classes": {}, "otherwise": "a"}, "classes"),
    ],
)
def test_schemes_that_make_no_classes_are_refused(values: dict[str, Any], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        checked(SchemeSettings, values, "recipe")


SHARES = (0.01, 0.03, 0.1, 0.25, 0.5, 1.0)


@pytest.mark.parametrize(
    ("of_each", "train", "validation"),
    [  # the lists that seed 000 committed; of its last validation lists some images were lost
        (
            (9512, 2038),
            (190, 570, 1902, 4756, 9512, 19024),
            (40, 122, 406, 1018, 2038, 4076),
        ),
        (
            (25680, 5503),
            (512, 1540, 5136, 12840, 25680, 51360),
            (110, 330, 1100, 2750, 5502, 11006),
        ),
    ],
)
def test_shares_of_the_labels_count_as_the_lists_of_seed_000_do(
    of_each: tuple[int, int], train: tuple[int, ...], validation: tuple[int, ...]
) -> None:
    for count, split, expected in zip(of_each, ("train", "val"), (train, validation), strict=True):
        labels = np.repeat([0, 1], count)
        drawn = [
            few_labels(
                labels,
                np.arange(2 * count),
                classes=("negative", "positive"),
                settings=FewLabelsSettings(fraction=share, validation_fraction=share),
                split=split,  # type: ignore[arg-type]
                seed=5,
            )
            for share in SHARES
        ]

        assert tuple(map(len, drawn)) == expected
        assert all((labels[own] == 1).sum() * 2 == len(own) for own in drawn), "half and half"
        for fewer, more in pairwise(drawn):
            assert set(fewer.tolist()) < set(more.tolist()), "fewer lie within more"


@given(st.integers(1, 400), st.integers(1, 100))
def test_a_share_is_never_more_than_it_says(count: int, percent: int) -> None:
    drawn = few_labels(
        np.zeros(count, dtype=np.int64),
        np.arange(count),
        classes=("a",),
        settings=FewLabelsSettings(fraction=percent / 100),
        split="train",
        seed=0,
    )

    assert len(drawn) == max(1, percent * count // 100)


@given(st.randoms(use_true_random=False))
def test_who_is_drawn_depends_on_the_images_of_its_class_alone(shuffler: random.Random) -> None:
    sets = [("rare",)] * 4 + [("common",)] * 12
    more = [*sets, *([None] * 5), ("rare",)]
    splits = [""] * 21 + ["test"]

    own, beside = (
        under(binary("rare", sample="balanced"), one, given, seed=shuffler.randrange(1))
        for one, given in ((sets, None), (more, splits))
    )

    assert own.labels.tolist() == beside.labels[:16].tolist()
