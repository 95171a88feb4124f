"""What runs are called by."""

from typing import Any

from understudy.studies.labels import brief, label
from understudy.studies.plan import Node


def node(key: str, seed: int | None = 1, **axes: Any) -> Node:
    return Node("student", "distill", seed, axes, {}, {}, key)


def test_a_label_tells_all() -> None:
    one = node("a", scheme="balanced", fraction=0.1, network={"name": "ResNet-8"})

    assert label(one) == "student, scheme balanced, fraction 0.1, network ResNet-8, seed 1"


def test_what_is_equal_in_all_is_left_out_and_words_stand_alone() -> None:
    told = brief(
        {
            "a": node("a", scheme="balanced", fraction=0.1, network={"name": "LCNet"}, mix=True),
            "b": node("b", scheme="balanced", fraction=1, network={"name": "ResNet-8"}, mix=False),
        }
    )

    assert told == {
        "a": "student, fraction 0.1, LCNet, mix true",
        "b": "student, fraction 1, ResNet-8, mix false",
    }


def test_seeds_are_told_where_there_are_several() -> None:
    assert brief({"a": node("a", 1), "b": node("b", 2), "c": node("c", None)}) == {
        "a": "student, seed 1",
        "b": "student, seed 2",
        "c": "student",
    }


def test_what_a_run_does_not_depend_on_is_not_told_of_it() -> None:
    told = brief({"a": node("a", fraction=0.1), "b": node("b", fraction=1), "c": node("c")})

    assert told["c"] == "student"
