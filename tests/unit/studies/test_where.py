"""Stages that are done for some values of the axes alone."""

import re
from collections.abc import Callable, Mapping

import pytest
from tests.hundreds import HUNDREDS

from understudy.core.errors import UsageError
from understudy.core.settings import Settings
from understudy.stages import STAGES
from understudy.studies.configure import made_of
from understudy.studies.filling import Filling
from understudy.studies.plan import Node, Plan, plan
from understudy.studies.study import Study

Reader = Callable[..., Study]
Stages = Mapping[str, type[Settings]]

TEXT = """
axes: {width: [1, 2, 4], temperature: [1, 8]}
scales: {smoke: {width: [2, 16]}}
stages:
  teacher: {stage: train, backbone: {kind: wide, width: '${width}'}, where: {width: [1, 4]}}
  student: {stage: distill, teacher: '@teacher', temperature: '${temperature}'}
  baseline: {stage: train, where: {temperature: 8}}
  compare: {stage: evaluate, models: ['@baseline', '@student']}
"""


def named(found: Plan, name: str) -> list[Node]:
    return [node for node in found.nodes if node.name == name]


def test_a_plan_of_hundreds_counts_each_equal_run_once(study: Reader) -> None:
    """3 pretrainings x 2 schemes x 6 fractions, x 5 students; and no data is at hand."""
    found = plan(study(HUNDREDS), STAGES)

    assert found.count() == "339 runs: 120 train, 3 pretrain, 36 finetune, 180 distill"


def test_a_plan_of_hundreds_is_told_whole_in_eighty_columns(study: Reader) -> None:
    lines = plan(study(HUNDREDS), STAGES).lines()

    assert max(map(len, lines)) <= 80
    told = " ".join(" ".join(lines).split())
    assert "x 6 fraction after pretrain" in told
    assert "x 5 network after teacher" in told


def test_a_stage_is_done_where_it_says_and_what_builds_on_it_there_too(
    study: Reader, stages: Stages
) -> None:
    found = plan(study(TEXT), stages)

    assert [node.axes["width"] for node in named(found, "teacher")] == [1, 4]
    assert {(node.axes["width"], node.axes["temperature"]) for node in named(found, "student")} == {
        (width, temperature) for width in (1, 4) for temperature in (1, 8)
    }


def test_a_list_of_runs_leaves_out_what_is_not_done(study: Reader, stages: Stages) -> None:
    found = plan(study(TEXT), stages)

    compared = {
        (node.axes.get("width"), node.axes["temperature"]): {
            field: parent.node for field, parent in node.parents.items()
        }
        for node in named(found, "compare")
    }
    both = {"models[0]": "baseline", "models[1]": "student"}
    assert compared == {
        **{(width, 1): {"models[0]": "student"} for width in (1, 4)},
        **{(width, 8): both for width in (1, 4)},
        (2, 8): {"models[0]": "baseline"},
    }
    keys = {node.key for node in found.nodes}
    for node in named(found, "compare"):
        assert len(node.settings["models"]) == len(node.parents)
        assert all(parent.key in keys for parent in node.parents.values())


def test_a_stage_that_is_done_nowhere_is_told(study: Reader, stages: Stages) -> None:
    found = plan(made_of(study(TEXT), {"width": "2"}).study, stages)

    assert "teacher   nowhere" in found.lines()
    assert "student   nowhere" in found.lines()
    assert not named(found, "student")


def test_a_study_of_which_nothing_is_done_is_refused(study: Reader, stages: Stages) -> None:
    text = "axes: {width: [1, 2]}\nstages:\n  one: {stage: train, where: {width: 1}}"

    with pytest.raises(UsageError, match="no stage is done under these values"):
        plan(made_of(study(text), {"width": "2"}).study, stages)


def test_a_seed_may_decide_too(study: Reader, stages: Stages) -> None:
    text = "seeds: [1, 2, 3]\nstages:\n  one: {stage: train, where: {seed: [1, 3]}}"

    assert [node.seed for node in named(plan(study(text), stages), "one")] == [1, 3]


def test_a_value_that_only_a_scale_has_is_known(study: Reader) -> None:
    assert study(TEXT.replace("width: [1, 4]}}", "width: 16}}"))


@pytest.mark.parametrize(
    ("where", "complaint"),
    [
        ("{width: 3}", "stages.teacher.where.width = 3  is no value of this axis; Known: 1, 16, 2"),
        ("{widht: 1}", "stages.teacher.where.widht  is no axis; did you mean 'width'? Known: seed"),
        ("{width: []}", "stages.teacher.where.width  names no value, so that it would never be"),
        ("width", "stages.teacher.where = 'width'  must be a mapping of axes, as {axis: [value"),
    ],
)
def test_what_cannot_decide_is_a_mistake(study: Reader, where: str, complaint: str) -> None:
    with pytest.raises(UsageError, match=re.escape(complaint)):
        study(TEXT.replace("where: {width: [1, 4]}", f"where: {where}"))


def test_equal_drafts_are_made_once(study: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    """339 runs of 360 combinations ask for 339 fillings: planning stays quick."""
    filled = 0

    class Counting(Filling):
        def __init__(self, *values: Mapping[str, object]) -> None:
            nonlocal filled
            filled += 1
            super().__init__(*values)

    monkeypatch.setattr("understudy.studies.drafts.Filling", Counting)
    plan(study(HUNDREDS), STAGES)

    assert filled == 339
