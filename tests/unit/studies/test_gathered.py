"""`@teacher[seed]`: the runs of every seed, gathered into one list."""

from collections.abc import Callable, Mapping

import pytest

from understudy.core.errors import UsageError
from understudy.core.settings import Settings
from understudy.studies.plan import Node, Plan, plan
from understudy.studies.study import Study

Reader = Callable[..., Study]
Stages = Mapping[str, type[Settings]]
TEXT = """
axes: {depth: [8, 14]}
seeds: [1, 2, 3]
stages:
  teacher: {stage: train, backbone: {kind: small, depth: "${depth}"}}
  fixed: {stage: train}
  together: {stage: evaluate, models: ["@teacher[seed]"]}
  student: {stage: distill, teacher: "@together"}
  all: {stage: evaluate, models: ["@student", "@teacher[seed]"]}
"""


def named(found: Plan, name: str) -> list[Node]:
    return [node for node in found.nodes if node.name == name]


def test_one_run_builds_on_those_of_every_seed_and_is_done_once(
    study: Reader, stages: Stages
) -> None:
    found = plan(study(TEXT), stages)

    teachers = {(node.seed, node.axes["depth"]): node.key for node in named(found, "teacher")}
    together = {node.axes["depth"]: node for node in named(found, "together")}
    assert len(teachers) == 6
    assert set(together) == {8, 14}
    for depth, node in together.items():
        assert node.seed is None
        assert {field: parent.key for field, parent in node.parents.items()} == {
            f"models[{place}]": teachers[seed, depth] for place, seed in enumerate([1, 2, 3])
        }


def test_what_builds_on_it_is_done_for_every_seed_again(study: Reader, stages: Stages) -> None:
    found = plan(study(TEXT), stages)

    students = named(found, "student")
    assert sorted((node.seed, node.axes["depth"]) for node in students) == [
        (seed, depth) for seed in (1, 2, 3) for depth in (8, 14)
    ]
    assert len({node.parents["teacher"].key for node in students}) == 2


def test_it_may_stand_beside_others_in_a_list(study: Reader, stages: Stages) -> None:
    found = plan(study(TEXT), stages)

    for node in named(found, "all"):
        assert [parent.node for parent in node.parents.values()] == ["student", *["teacher"] * 3]


def test_an_axis_may_be_gathered_too(study: Reader, stages: Stages) -> None:
    found = plan(study(TEXT.replace('"@student", "@teacher[seed]"', '"@teacher[depth]"')), stages)

    assert [(node.seed, len(node.parents)) for node in named(found, "all")] == [
        (1, 2),
        (2, 2),
        (3, 2),
    ]


def test_several_axes_may_be_gathered_together(study: Reader, stages: Stages) -> None:
    found = plan(
        study(TEXT.replace('models: ["@teacher[seed]"]', 'models: ["@teacher[depth, seed]"]')),
        stages,
    )

    teachers = {(node.axes["depth"], node.seed): node.key for node in named(found, "teacher")}
    (together,) = named(found, "together")
    assert together.seed is None
    assert not together.axes
    assert [parent.key for parent in together.parents.values()] == [
        teachers[depth, seed] for depth in (8, 14) for seed in (1, 2, 3)
    ]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('models: ["@teacher[seed]"]', 'models: ["@teacher[sed]"]', "names no axis; did you mean"),
        ('teacher: "@together"', 'teacher: "@teacher[seed]"', "make it an entry of a list"),
        ('models: ["@teacher[seed]"]', 'models: ["@techer[seed]"]', "is no stage of this study"),
        ('models: ["@teacher[seed]"]', 'models: ["@fixed[depth]"]', "fixed is the same for every"),
        ('models: ["@teacher[seed]"]', 'models: ["@teacher[seed, dep]"]', "names no axis; did you"),
        ('models: ["@teacher[seed]"]', 'models: ["@teacher[seed,seed]"]', "names seed twice"),
        ('models: ["@teacher[seed]"]', 'models: ["@teacher[]"]', "names no axis"),
    ],
)
def test_what_leads_nowhere_is_told_once(
    old: str, new: str, told: str, study: Reader, stages: Stages
) -> None:
    with pytest.raises(UsageError, match=told) as caught:
        plan(study(TEXT.replace(old, new)), stages)

    assert str(caught.value).count(told) == 1
