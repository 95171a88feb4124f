"""How long a study will still take."""

import pytest

from understudy.studies.plan import Node, Parent
from understudy.studies.remaining import about, seconds_left, waiting


def node(name: str, seed: int, *, after: str = "", depth: int = 8) -> Node:
    parents = {"teacher": Parent(after, f"{after}{seed}{depth}")} if after else {}
    return Node(
        name=name,
        stage="train",
        seed=seed,
        axes={"depth": depth},
        settings={},
        parents=parents,
        key=f"{name}{seed}{depth}",
    )


PLANNED = [
    node(name, seed, after=after)
    for seed in (1, 2, 3)
    for name, after in (("teacher", ""), ("student", "teacher"))
]


def test_nothing_is_said_while_a_name_has_not_been_seen() -> None:
    assert seconds_left(PLANNED[1:], taken={"teacher18": 60.0}, planned=PLANNED) is None


def test_later_seeds_last_as_long_as_earlier_ones() -> None:
    taken = {"teacher18": 60.0, "student18": 10.0, "teacher28": 80.0}

    assert seconds_left(PLANNED[3:], taken=taken, planned=PLANNED) == 10 + 70 + 10


def test_runs_of_the_same_choices_are_nearer_than_others() -> None:
    planned = [node("student", seed, depth=depth) for depth in (8, 20) for seed in (1, 2)]
    taken = {"student18": 10.0, "student120": 100.0}

    assert seconds_left([planned[1]], taken=taken, planned=planned) == 10
    assert seconds_left([planned[3]], taken=taken, planned=planned) == 100
    assert seconds_left([planned[3]], taken={"student18": 10.0}, planned=planned) == 10


def test_what_is_done_or_builds_on_what_failed_is_not_waited_for() -> None:
    left = waiting(PLANNED, done={"teacher18", "student18", "teacher38"}, lost={"teacher28"})

    assert [one.key for one in left] == ["student38"]


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(3, "less than a minute"), (700, "about 12 min"), (7500, "about 2.1 h")],
)
def test_an_estimate_is_coarse(seconds: float, told: str) -> None:
    assert about(seconds) == told
