from collections.abc import Callable
from typing import ClassVar, Literal

import pytest
import torch
from torch import Tensor
from torch.fx import GraphModule
from torch.testing import assert_close

from understudy.core.errors import UsageError
from understudy.core.types import Outputs, Shape, Tap, Targets, Terms
from understudy.objectives.distill.regression import RegressionSettings
from understudy.objectives.distill.soft_label import SoftLabelSettings
from understudy.objectives.label import LabelSettings
from understudy.objectives.objective import Objective, ObjectiveSettings, Views, combine
from understudy.objectives.selfsup.nt_xent import NtXentSettings
from understudy.objectives.weight import Ramp

IMAGES = torch.arange(4)


class TwoParts(Objective):
    taps: ClassVar = frozenset({Tap.STAGES})
    guidance_taps: ClassVar = frozenset({Tap.STAGES})

    def forward(self, student: Views, guidance: Views | None, targets: Targets) -> Terms:  # noqa: ARG002
        return {"near": student[0].stages[0].mean(), "far": torch.tensor(3.0)}


class TwoPartsSettings(ObjectiveSettings):
    kind: Literal["two_parts"] = "two_parts"

    def build(self, student: Shape, guidance: Shape | None, images: Tensor) -> TwoParts:  # noqa: ARG002
        return TwoParts()


def outputs(shape: Shape, *, seed: int, views: int = 1) -> Views:
    generator = torch.Generator().manual_seed(seed)
    return tuple(
        Outputs(
            logits=torch.randn(4, 5, generator=generator),
            pooled=torch.randn(4, shape.pooled, generator=generator),
            projected=torch.randn(4, 4, generator=generator),
            stages=(torch.randn(4, 2, 2, 2, generator=generator),),
        )
        for _ in range(views)
    )


def test_the_loss_is_the_weighted_sum_of_unweighted_terms(
    student: Shape, teacher: Shape, targets: Targets
) -> None:
    settings = [LabelSettings(weight=0.1), SoftLabelSettings(weight=0.9), LabelSettings(weight=0)]
    combined = combine(settings, student=student, guidance=teacher, images=IMAGES)
    learnt, taught = outputs(student, seed=1), outputs(teacher, seed=2)

    loss, terms = combined(learnt, taught, targets)

    assert list(terms) == ["label", "soft_label", "label#2"]
    alone = combine([SoftLabelSettings()], student=student, guidance=teacher, images=IMAGES)
    assert_close(terms["soft_label"], alone(learnt, taught, targets)[0])
    assert_close(loss, 0.1 * terms["label"] + 0.9 * terms["soft_label"])


def test_several_parts_are_named_behind_their_objective(
    student: Shape, teacher: Shape, targets: Targets
) -> None:
    settings = [TwoPartsSettings(weight=0.5), TwoPartsSettings()]
    combined = combine(settings, student=student, guidance=teacher, images=IMAGES)

    loss, terms = combined(outputs(student, seed=1), outputs(teacher, seed=2), targets)

    assert list(terms) == ["two_parts.near", "two_parts.far", "two_parts#2.near", "two_parts#2.far"]
    assert_close(loss, 1.5 * (terms["two_parts.near"] + 3))


def test_needs_are_the_union_of_all_needs(student: Shape, teacher: Shape) -> None:
    settings = [LabelSettings(), NtXentSettings(), RegressionSettings()]

    combined = combine(settings, student=student, guidance=teacher, images=IMAGES)

    assert combined.taps == {Tap.LOGITS, Tap.PROJECTED, Tap.POOLED}
    assert combined.guidance_taps == {Tap.POOLED}
    assert combined.reads_labels
    assert combined.views == 2
    assert not combine(
        [NtXentSettings()], student=student, guidance=None, images=IMAGES
    ).reads_labels


def test_a_weight_moves_with_the_progress_and_is_not_saved(
    student: Shape, teacher: Shape, targets: Targets
) -> None:
    settings = [LabelSettings(weight=Ramp(start=1, end=0, until=0.5)), SoftLabelSettings(weight=2)]
    combined = combine(settings, student=student, guidance=teacher, images=IMAGES)
    inputs = outputs(student, seed=1), outputs(teacher, seed=2), targets
    storage = combined.weights.data_ptr()

    for progress, label in [(0.0, 1.0), (0.125, 0.75), (0.5, 0.0), (1.0, 0.0)]:
        combined.at(progress)
        loss, terms = combined(*inputs)

        assert_close(loss, label * terms["label"] + 2 * terms["soft_label"])
    assert combined.weights.data_ptr() == storage
    assert combined.state_dict() == {}


def test_it_begins_at_the_beginning(student: Shape) -> None:
    ramp = Ramp(start=0.25, end=1)

    combined = combine([LabelSettings(weight=ramp)], student=student, guidance=None, images=IMAGES)

    assert combined.weights.tolist() == [0.25]


def test_own_parameters_follow_the_seed_and_leave_the_global_generator(
    student: Shape, teacher: Shape
) -> None:
    torch.manual_seed(0)
    before = torch.get_rng_state()

    def head(seed: int) -> dict[str, torch.Tensor]:
        combined = combine(
            [RegressionSettings()], student=student, guidance=teacher, images=IMAGES, seed=seed
        )
        return combined.state_dict()

    first = head(3)
    assert torch.equal(torch.get_rng_state(), before)
    torch.rand(5)
    assert_close(head(3), first, rtol=0, atol=0)
    name = "objectives.0.head.0.weight"
    assert not torch.equal(head(4)[name], first[name])


def test_no_objective_at_all_is_refused(student: Shape) -> None:
    with pytest.raises(UsageError, match=r"no objective.*`terms`"):
        combine([], student=student, guidance=None, images=IMAGES)


@pytest.mark.parametrize("settings", [SoftLabelSettings(), RegressionSettings()])
def test_a_missing_teacher_is_named_with_the_objective_that_misses_it(
    student: Shape, settings: ObjectiveSettings
) -> None:
    with pytest.raises(UsageError, match=rf"'{settings.kind}'.*none.*`teacher`"):
        combine([LabelSettings(), settings], student=student, guidance=None, images=IMAGES)


def test_a_teacher_without_a_classifier_is_refused(student: Shape, teacher: Shape) -> None:
    pretrained = teacher._replace(num_classes=None)

    with pytest.raises(UsageError, match=r"'soft_label'.*teacher with a classifier: finetune"):
        combine([SoftLabelSettings()], student=student, guidance=pretrained, images=IMAGES)


def test_a_teacher_without_stages_is_refused(student: Shape, teacher: Shape) -> None:
    with pytest.raises(UsageError, match=r"'two_parts'.*teacher with stages"):
        combine(
            [TwoPartsSettings()],
            student=student,
            guidance=teacher._replace(stages=()),
            images=IMAGES,
        )


def test_a_student_without_a_projector_is_refused(student: Shape) -> None:
    with pytest.raises(UsageError, match=r"'nt_xent'.*student with a projector: set `projector`"):
        combine(
            [NtXentSettings()],
            student=student._replace(projected=None),
            guidance=None,
            images=IMAGES,
        )


def test_other_numbers_of_classes_are_refused(student: Shape, teacher: Shape) -> None:
    with pytest.raises(UsageError, match=r"'soft_label'.*student has 5.*teacher 7"):
        combine(
            [SoftLabelSettings()],
            student=student,
            guidance=teacher._replace(num_classes=7),
            images=IMAGES,
        )


def test_features_are_compared_whatever_the_classes(student: Shape, teacher: Shape) -> None:
    unlabeled = teacher._replace(num_classes=None)

    assert combine(
        [RegressionSettings()], student=student, guidance=unlabeled, images=IMAGES
    ).guidance_taps


def test_too_few_views_are_told_apart(student: Shape, targets: Targets) -> None:
    combined = combine([NtXentSettings()], student=student, guidance=None, images=IMAGES)

    with pytest.raises(UsageError, match=r"has 1 of the 2 views.*List 2"):
        combined(outputs(student, seed=1), None, targets)


@pytest.mark.slow
def test_it_compiles_into_one_graph_that_survives_a_moving_weight(
    student: Shape, teacher: Shape, targets: Targets
) -> None:
    settings = [
        LabelSettings(weight=Ramp(start=1, end=0)),
        SoftLabelSettings(),
        NtXentSettings(),
        RegressionSettings(),
    ]
    combined = combine(settings, student=student, guidance=teacher, images=IMAGES)
    inputs = outputs(student, seed=1, views=2), outputs(teacher, seed=2, views=2), targets
    graphs: list[GraphModule] = []

    def counted(graph: GraphModule, _: object) -> Callable[..., object]:
        graphs.append(graph)
        return graph.forward

    compiled = torch.compile(combined, fullgraph=True, backend=counted)

    for progress in (0.0, 0.3, 1.0):
        combined.at(progress)

        assert_close(compiled(*inputs)[0], combined(*inputs)[0])
    assert len(graphs) == 1
