from typing import get_args

import pytest
import torch
from torch.testing import assert_close

from understudy.core.types import Outputs, Shape, Targets
from understudy.objectives.distill.soft_label import (
    DIVERGENCES,
    Direction,
    SoftLabelSettings,
    soft_label_divergence,
)


def test_each_view_learns_the_teachers_answer_to_that_view(
    student: Shape, teacher: Shape, targets: Targets
) -> None:
    learnt, taught = torch.randn(2, 4, 5), torch.randn(2, 4, 5)

    found = SoftLabelSettings(temperature=2).build(student, teacher, torch.arange(4))(
        tuple(Outputs(logits=logits) for logits in learnt),
        tuple(Outputs(logits=logits) for logits in taught),
        targets,
    )

    losses = [soft_label_divergence(*pair, 2.0) for pair in zip(learnt, taught, strict=True)]
    assert_close(found["divergence"], sum(losses) / 2)


def test_stored_answers_in_half_precision_serve(
    student: Shape, teacher: Shape, targets: Targets
) -> None:
    learnt, taught = torch.randn(4, 5), torch.randn(4, 5)

    found = SoftLabelSettings().build(student, teacher, torch.arange(4))(
        (Outputs(logits=learnt),), (Outputs(logits=taught.half()),), targets
    )

    assert found["divergence"].dtype == torch.float32
    assert_close(found["divergence"], soft_label_divergence(learnt, taught.half().float(), 4.0))


@pytest.mark.parametrize("direction", get_args(Direction))
def test_each_direction_has_its_divergence(
    direction: Direction, student: Shape, teacher: Shape, targets: Targets
) -> None:
    learnt, taught = torch.randn(2, 4, 5)
    learnt.requires_grad_()

    found = SoftLabelSettings(direction=direction).build(student, teacher, torch.arange(4))(
        (Outputs(logits=learnt),), (Outputs(logits=taught),), targets
    )
    found["divergence"].backward()

    assert_close(found["divergence"], DIVERGENCES[direction](learnt, taught, 4.0))
    assert learnt.grad is not None and learnt.grad.abs().sum() > 0


@pytest.mark.parametrize("direction", get_args(Direction))
def test_certain_answers_stay_finite_in_every_direction(direction: Direction) -> None:
    certain = 1e4 * torch.eye(5)
    learnt = certain.roll(1, dims=0).requires_grad_()

    found = DIVERGENCES[direction](learnt, certain, 4.0)
    found.backward()  # type: ignore[no-untyped-call]

    assert found.isfinite()
    assert learnt.grad is not None and learnt.grad.isfinite().all()


def test_forward_is_the_default() -> None:
    assert SoftLabelSettings().direction == "forward"
