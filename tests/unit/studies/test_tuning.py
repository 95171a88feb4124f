"""What a study tries, and which of it is taken."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar, Literal

import pytest
from pydantic import PositiveFloat

from understudy import stages as every_stage
from understudy.core.errors import UsageError
from understudy.core.settings import RunPath, Settings
from understudy.methods import ClassifierReuseSettings
from understudy.objectives import every_objective
from understudy.stages.distill import DistillSettings
from understudy.studies.configure import made_of
from understudy.studies.plan import Plan, plan
from understudy.studies.study import Study
from understudy.studies.tuning import Tuning, tuning_of

Reader = Callable[..., Study]


class Term(Settings):
    kind: str = "label"
    weight: PositiveFloat = 1.0


class Length(Settings):
    rate: PositiveFloat = 0.1
    monitor: Literal["top1", "nll"] = "nll"


class Train(Settings):
    chooses: ClassVar[bool] = True
    stage: Literal["train"] = "train"
    depth: int = 8
    seed: int = 0


class Distill(Settings):
    chooses: ClassVar[bool] = True
    stage: Literal["distill"] = "distill"
    teacher: RunPath
    terms: tuple[Term, ...] = (Term(),)
    plan: Length = Length()
    seed: int = 0


class Evaluate(Settings):
    stage: Literal["evaluate"] = "evaluate"
    models: tuple[RunPath, ...]


STAGES: dict[str, type[Settings]] = {"train": Train, "distill": Distill, "evaluate": Evaluate}
STUDY = """
parameters: {factors: [0.3, 1, 3], best: null}
axes:
  objective:
    - {name: soft, terms: [{kind: label}, {kind: soft, weight: 0.9}]}
    - {name: dist, terms: [{kind: label}, {kind: dist}]}
    - {name: hints, terms: [{kind: label}, {kind: hints, weight: 100}]}
seeds: [1, 2]
tune:
  stage: student
  grid:
    terms.1.weight: {times: '${factors}'}
  best: ${best}
stages:
  baseline: {stage: train, depth: 14}
  teacher: {stage: train}
  student: {stage: distill, teacher: '@teacher', terms: '${objective.terms}'}
  evaluation: {stage: evaluate, models: ['@baseline', '@student']}
"""
FIXED = (
    STUDY.replace("parameters: {factors: [0.3, 1, 3], best: null}\n", "")
    .replace("'${factors}'", "[0.3, 1, 3]")
    .replace("${best}", "1")
)


def tuned(read: Study, **given: object) -> tuple[Plan, Tuning]:
    planned = plan(made_of(read, given).study, STAGES)
    found = tuning_of(planned, STAGES)
    assert found is not None
    return planned, found


def scores(tuning: Tuning, **by_name: list[float | None]) -> dict[str, float]:
    """By objective, of its candidates in their order; None: failed."""
    return {
        candidate.node.key: score
        for setting in tuning.tried
        for candidate, score in zip(
            setting.candidates, by_name[setting.axes["objective"]["name"]], strict=False
        )
        if score is not None
    }


def taken(tuning: Tuning, found: dict[str, float]) -> dict[str, str]:
    return {
        setting.axes["objective"]["name"]: setting.taken(found).values["terms.1.weight"]
        for setting in tuning.chosen(found)
    }


def test_every_setting_gets_the_same_grid_at_one_seed_what_is_written_first(study: Reader) -> None:
    _, tuning = tuned(study(STUDY))

    tried = {
        setting.axes["objective"]["name"]: [
            one.values["terms.1.weight"] for one in setting.candidates
        ]
        for setting in tuning.tried
    }
    assert tried == {
        "soft": ["0.9", "0.27", "2.7"],
        "dist": ["1", "0.3", "3"],
        "hints": ["100", "30", "300"],
    }
    assert {node.seed for node in tuning.runs} == {1}
    assert {node.name for node in tuning.runs} == {"teacher", "student"}, "nothing is evaluated"
    assert tuning.monitor == "nll"


def test_a_candidate_that_is_taken_is_the_run_of_the_study_itself(study: Reader) -> None:
    """Its identity is the same, so that it is not trained twice."""
    planned, tuning = tuned(study(STUDY))
    found = scores(tuning, soft=[-0.5, -0.4, -0.6], dist=[-0.5, -0.6, -0.7], hints=[-1, -1, -0.9])

    settled = tuning.settled(found, tuning.chosen(found))
    after = plan(dataclasses.replace(planned.study, settled=settled), STAGES)

    best = {s.axes["objective"]["name"]: s.taken(found).node.key for s in tuning.tried}
    students = [node for node in after.nodes if node.name == "student"]
    of_tuning = {n.axes["objective"]["name"]: n.key for n in students if n.seed == 1}
    assert of_tuning == best
    weights = {
        (n.axes["objective"]["name"], n.seed): n.settings["terms"][1].get("weight", 1)
        for n in students
    }
    assert weights == {
        **{("soft", seed): 0.27 for seed in (1, 2)},
        **{("dist", seed): 1 for seed in (1, 2)},
        **{("hints", seed): 300 for seed in (1, 2)},
    }
    untouched = {node.key for node in planned.nodes if node.name in ("baseline", "teacher")}
    assert untouched <= {node.key for node in after.nodes}


def test_of_equal_scores_what_is_written_stays(study: Reader) -> None:
    _, tuning = tuned(study(STUDY))

    found = scores(tuning, soft=[0.5, 0.5, 0.5], dist=[0.4, 0.5, 0.5], hints=[None, None, None])

    assert taken(tuning, found) == {"soft": "0.9", "dist": "0.3", "hints": "100"}


def test_what_diverged_is_not_taken(study: Reader) -> None:
    _, tuning = tuned(study(STUDY))

    found = scores(tuning, soft=[None, 0.1, None], dist=[0.2, None, 0.1], hints=[0.1, 0.2, None])

    assert taken(tuning, found) == {"soft": "0.27", "dist": "1", "hints": "30"}


def test_only_the_best_as_written_are_tuned_where_the_study_says_so(study: Reader) -> None:
    planned, tuning = tuned(study(STUDY), best=2)
    found = scores(tuning, soft=[0.3], dist=[None], hints=[0.4])

    chosen = tuning.chosen(found)

    assert [setting.axes["objective"]["name"] for setting in chosen] == ["soft", "hints"]
    assert len(tuning.as_written) == 1 + 3
    assert len(tuning.needed(setting.candidates for setting in chosen)) == 1 + 2 * 3
    assert "up to 4 more runs" in "\n".join(tuning.lines(planned))


def test_a_seed_that_the_study_has_not_is_counted_whole(study: Reader) -> None:
    planned, tuning = tuned(study(STUDY.replace("tune:\n", "tune:\n  seed: 9\n")))

    assert {node.seed for node in tuning.runs} == {9}
    assert "up to 10 more runs" in "\n".join(tuning.lines(planned)), "a teacher and 3 x 3"
    assert max(map(len, tuning.lines(planned))) <= 80


def test_values_take_part_beside_what_is_written(study: Reader) -> None:
    text = FIXED.replace("terms.1.weight: {times: [0.3, 1, 3]}", "plan.rate: [0.05, 0.1]")

    _, tuning = tuned(study(text))

    assert [one.values for one in tuning.tried[0].candidates] == [
        {"plan.rate": "0.1"},
        {"plan.rate": "0.05"},
    ]


def test_a_study_that_tunes_nothing_has_no_tuning(study: Reader) -> None:
    assert tuning_of(plan(study("stages: {a: {stage: train}}"), STAGES), STAGES) is None


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("stage: student", "stage: studnet", "stage = studnet  is no stage of this study; did you"),
        ("stage: student", "stage: evaluation", "is no training that validation images choose for"),
        ("terms.1.weight: {", "terms.1.wieght: {", "has none called 'wieght'. did you mean"),
        ("terms.1.weight: {", "terms.1.kind: {", "terms.1.kind = 'soft'  is no number"),
        ("terms.1.weight: {times: [0.3, 1, 3]}", "plan.rate: [0]", "plan.rate = 0"),
        ("terms.1.weight: {times: [0.3, 1, 3]}", "plan.rate: []", "plan.rate  needs a value to"),
        ("[0.3, 1, 3]", "'${factor}'", "${factor} is not known"),
        ("[0.3, 1, 3]", "[0]", "must be greater than 0"),
        ("[0.3, 1, 3]", "[]", "terms.1.weight  needs a value to try"),
        ("best: 1", "best: 4", "best = 4  must be up to 3, the settings that there are"),
        ("best: 1", "bst: 4", "bst  unknown key; did you mean 'best'"),
    ],
)
def test_what_cannot_be_tuned_is_told_before_anything_is_trained(
    study: Reader, old: str, new: str, complaint: str
) -> None:
    assert old in FIXED
    text = FIXED.replace(old, new, 1)

    with pytest.raises(UsageError) as caught:
        tuning_of(plan(study(text), STAGES), STAGES)

    assert complaint in str(caught.value)
    assert "tune" in str(caught.value).splitlines()[0]


HEADLESS = """
tune: {stage: features, grid: {plan.epochs: [2, 4]}}
stages:
  pretrain: {stage: pretrain}
  features:
    stage: distill
    teacher: '@pretrain'
    terms: [regression]
"""


def test_a_distillation_without_a_classifier_has_nothing_to_be_tuned_by(study: Reader) -> None:
    """It would be trained for every candidate, and then the first would be taken."""
    with pytest.raises(UsageError) as caught:
        tuning_of(plan(study(HEADLESS), every_stage.STAGES), every_stage.STAGES)

    assert "stage = features  has no classifier where no objective reads" in str(caught.value)
    with_answers = HEADLESS.replace("[regression]", "[regression, soft_label]")
    assert tuning_of(plan(study(with_answers), every_stage.STAGES), every_stage.STAGES)


def test_an_objective_is_known_to_read_logits_before_there_are_networks() -> None:
    scored = {
        kind
        for kind in (each.model_fields["kind"].default for each in every_objective())
        if DistillSettings.model_validate({"teacher": "later", "terms": [kind]}).is_scored
    }

    logits = {"label", "hard_label", "soft_label", "logit_mse", "standardized", "decoupled"}
    assert scored == {*logits, "dist", "multi_level"}
    assert DistillSettings(teacher=Path("later"), method=ClassifierReuseSettings()).is_scored
