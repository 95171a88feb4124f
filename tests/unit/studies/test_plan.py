"""From a study to a graph of runs."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.core.errors import UsageError
from understudy.core.settings import Settings
from understudy.studies.configure import with_words
from understudy.studies.plan import Node, Parent, Plan, plan
from understudy.studies.study import Study

Reader = Callable[..., Study]
Stages = Mapping[str, type[Settings]]


def named(found: Plan, name: str) -> list[Node]:
    return [node for node in found.nodes if node.name == name]


def test_every_node_is_done_for_every_seed_that_reaches_it(
    study: Reader, chain: str, stages: Stages
) -> None:
    found = plan(study(chain), stages)

    assert [node.seed for node in named(found, "baseline")] == [1, 2, 3]
    assert [node.seed for node in named(found, "teacher")] == [0]
    assert [node.seed for node in named(found, "student")] == [1, 2, 3]
    assert [node.seed for node in named(found, "compare")] == [1, 2, 3]
    assert found.count() == "10 runs: 4 train, 3 distill, 3 evaluate"


def test_parents_come_first_and_are_named_by_their_keys(
    study: Reader, chain: str, stages: Stages
) -> None:
    found = plan(study(chain), stages)

    position = {node.key: place for place, node in enumerate(found.runs)}
    for node in found.runs:
        assert all(position[parent.key] < position[node.key] for parent in node.parents.values())
    compare = named(found, "compare")[1]
    assert {field: parent.node for field, parent in compare.parents.items()} == {
        "models[0]": "baseline",
        "models[1]": "teacher",
        "models[2]": "student",
    }
    assert compare.parents["models[2]"].key == named(found, "student")[1].key


def test_a_recipe_has_the_directories_of_the_parents(
    study: Reader, chain: str, stages: Stages
) -> None:
    found = plan(study(chain), stages)
    student = named(found, "student")[0]
    teacher = Parent("teacher", named(found, "teacher")[0].key)

    recipe = student.recipe({teacher.key: Path("runs/train/teacher-1")})

    assert student.settings["teacher"] == teacher
    assert recipe["teacher"] == "runs/train/teacher-1"
    assert recipe["seed"] == 1
    assert stages["distill"].model_validate(recipe)


def test_many_teachers_are_trained_once_for_many_more_students(
    study: Reader, stages: Stages
) -> None:
    text = """
seeds: [1, 2, 3]
axes: {width: [1, 2, 4], temperature: [1, 2, 4, 8, 16]}
stages:
  teacher: {stage: train, backbone: {kind: wide, width: '${width}'}}
  student: {stage: distill, teacher: '@teacher', temperature: '${temperature}'}
"""
    found = plan(study(text), stages)

    assert found.count() == "54 runs: 9 train, 45 distill"
    assert named(found, "teacher")[0].axes == {"width": 1}
    assert named(found, "student")[-1].axes == {"width": 4, "temperature": 16}


def test_an_axis_may_hold_mappings_and_runs(study: Reader, stages: Stages) -> None:
    text = """
axes:
  net: [{kind: small, depth: 8}, {kind: wide, width: 2}]
  teacher: ['@one', '@two']
stages:
  one: {stage: train, backbone: '${net}'}
  two: {stage: train, epochs: 5}
  student: {stage: distill, teacher: '${teacher}'}
"""
    found = plan(study(text), stages)

    assert found.count() == "6 runs: 3 train, 3 distill"
    parents = [student.parents["teacher"].node for student in named(found, "student")]
    assert sorted(parents) == ["one", "one", "two"]


def test_equal_settings_are_one_run_whatever_they_are_called(study: Reader, stages: Stages) -> None:
    text = """
stages:
  one: {stage: train}
  two: {stage: train, epochs: 10, data: {workers: 3}}
  three: {stage: train, epochs: 11}
"""
    found = plan(study(text), stages)

    keys = [node.key for node in found.nodes]
    assert keys[0] == keys[1] != keys[2]
    assert found.count() == "2 runs: 2 train"
    assert "same as one" in "\n".join(found.lines())


def test_what_changes_a_teacher_changes_its_student(
    study: Reader, chain: str, stages: Stages
) -> None:
    before = plan(study(chain), stages)
    after = plan(study(chain.replace("kind: wide", "kind: wide, width: 2")), stages)

    assert named(before, "student")[0].key != named(after, "student")[0].key
    assert named(before, "baseline")[0].key == named(after, "baseline")[0].key


def test_two_studies_share_an_ancestor_however_their_files_say_it(
    study: Reader, chain: str, stages: Stages
) -> None:
    other = study("seeds: [3]\nstages: {t: {epochs: 3, stage: train}}", name="other.yaml")

    shared = {n.key for n in plan(other, stages).runs} & {
        n.key for n in plan(study(chain), stages).runs
    }

    assert len(shared) == 1


def test_mistakes_of_all_stages_are_reported_once_and_where_the_user_wrote_them(
    study: Reader, chain: str, stages: Stages
) -> None:
    text = chain.replace('teacher: "@teacher"}', 'teacher: "@teacher", temprature: 2}')
    asked = with_words(study(text), ["backbone.depth=9", "epochs=.nan", "data.dtpe=x"])

    with pytest.raises(UsageError, match="4 mistakes") as caught:
        plan(asked, stages)

    lines = [line.strip() for line in str(caught.value).splitlines()]
    assert lines[0].endswith("trial.yaml: 4 mistakes")
    assert "backbone.depth = 9  must be 8, 14 or 20" in lines
    assert "epochs = nan  must be a finite number above 0" in lines
    assert any(line.startswith("data.dtpe  unknown key") for line in lines)
    (own,) = [line for line in lines if line.startswith("stages.student.temprature  unknown key")]
    assert "did you mean 'temperature' (default 4.0)?" in own
    assert own.endswith("(line 12)")


@pytest.mark.parametrize(
    ("student", "complaint"),
    [
        ("{stage: distill, teacher: '@teachr'}", "stages.student.teacher = @teachr  is no stage"),
        ("{stage: distil, teacher: '@teacher'}", "stages.student.stage = distil  unknown; did you"),
        ("{stage: distill, teacher: '@teacher', note: '@teacher'}", "takes no run"),
        ("{stage: distill, teacher: '@student'}", "wait for each other: student -> student"),
        ("{stage: distill, teacher: '${techer}'}", "${techer} is not known"),
        ("{stage: distill}", "stages.student.teacher  missing"),
    ],
)
def test_a_graph_that_cannot_be_is_refused(
    study: Reader, stages: Stages, student: str, complaint: str
) -> None:
    read = study(f"seeds: [1, 2]\nstages:\n  teacher: {{stage: train}}\n  student: {student}\n")

    with pytest.raises(UsageError, match=r": 1 mistake\n") as caught:
        plan(read, stages)

    assert complaint in str(caught.value)


def test_a_circle_is_named_once_however_long(study: Reader, stages: Stages) -> None:
    text = """
seeds: [1, 2]
stages:
  c: {stage: distill, teacher: '@a'}
  b: {stage: distill, teacher: '@c'}
  a: {stage: distill, teacher: '@b'}
"""
    with pytest.raises(UsageError, match=r"1 mistake\n") as caught:
        plan(study(text), stages)

    assert "wait for each other: a -> b -> c -> a" in str(caught.value)


def test_the_lines_are_a_graph_in_eighty_columns_with_the_count_last(
    study: Reader, chain: str, stages: Stages
) -> None:
    many = with_words(study(chain), [f"seeds={','.join(map(str, range(40)))}"])

    lines = plan(many, stages).lines()

    assert [line.split()[0] for line in lines[:-1]] == ["baseline", "teacher", "student", "compare"]
    assert max(map(len, lines)) <= 80
    assert "after teacher" in lines[2]
    assert lines[-1] == "121 runs: 41 train, 40 distill, 40 evaluate"


def test_one_run_is_counted_in_the_same_form(study: Reader, stages: Stages) -> None:
    lines = plan(study("stages: {only: {stage: train}}"), stages).lines()

    assert re.fullmatch(r"1 runs: 1 train", lines[-1])


@given(seeds=st.lists(st.integers(0, 9), min_size=1, max_size=4, unique=True))
def test_keys_do_not_depend_on_what_else_is_planned(seeds: list[int]) -> None:
    stated: dict[str, dict[str, object]] = {"a": {"stage": "toy"}, "b": {"stage": "toy", "size": 2}}
    study = Study(
        name="x",
        title="",
        parameters={},
        scales={},
        axes={},
        seeds=tuple(seeds),
        budget=None,
        stages=stated,
        origin="x",
        stated={},
    )

    found = plan(study, {"toy": Toy})

    assert {node.key for node in found.nodes} == {
        node.key
        for seed in seeds
        for node in plan(with_words(study, [f"seeds={seed}"]), {"toy": Toy}).nodes
    }
    assert len(found.runs) == 2 * len(seeds)


class Toy(Settings):
    size: int = 1
    seed: int = 0


def test_a_stage_lies_over_a_recipe(study: Reader, stages: Stages, tmp_path: Path) -> None:
    recipe = tmp_path / "tried.yaml"
    recipe.write_text("stage: train\nepochs: 5\nbackbone: {kind: wide, width: 3}\n")
    text = f"""
axes: {{method: ['{recipe}']}}
stages:
  one: {{stage: train, recipe: '${{method}}', backbone: {{width: 4}}}}
  other: {{stage: train, recipe: '${{method}}', backbone: {{kind: small}}}}
"""
    one, other = plan(study(text), stages).nodes

    rest = {"stage": "train", "epochs": 5, "seed": 0}
    assert one.settings == {**rest, "backbone": {"kind": "wide", "width": 4}}
    assert other.settings == {**rest, "backbone": {"kind": "small"}}


def test_recipes_that_do_not_serve_are_named_together(
    study: Reader, stages: Stages, tmp_path: Path
) -> None:
    (tmp_path / "distil.yaml").write_text("stage: distill\n")
    text = f"""
stages:
  one: {{stage: train, recipe: nowhere.yaml}}
  other: {{stage: train, recipe: {tmp_path / "distil.yaml"}}}
"""
    with pytest.raises(UsageError, match="2 mistakes") as caught:
        plan(study(text), stages)

    assert "stages.one.recipe = nowhere.yaml  nowhere.yaml: no such file" in str(caught.value)
    assert "distil.yaml  is a recipe of distill, not of train" in str(caught.value)
