import math

import pytest
import torch
from tests.unit.objectives.distill.outputs import features
from torch import Tensor
from torch.testing import assert_close

from understudy.core.types import Shape
from understudy.objectives.distill.projection import ProjectionSettings, soft_maximum_error


def test_the_projector_takes_both_widths_from_the_shapes(
    small: Shape, large: Shape, images: Tensor
) -> None:
    projector = ProjectionSettings().build(small, large, images).projector

    assert (projector.in_features, projector.out_features) == (6, 9)


def test_units_and_zero_points_of_the_features_change_nothing() -> None:
    student, teacher = features(5, seed=1), features(5, seed=2)
    scales = torch.linspace(1, 30, 5, dtype=torch.float64)

    found = soft_maximum_error(scales * student - 7, teacher * scales.flip(0) + 3, 4.0)

    assert_close(found, soft_maximum_error(student, teacher, 4.0), rtol=1e-4, atol=1e-4)


def test_a_high_power_tells_the_largest_error() -> None:
    student, teacher = features(5, seed=1), features(5, seed=2)
    standard = [(each - each.mean(0)) / each.std(0, correction=0) for each in (student, teacher)]
    largest = (standard[0] - standard[1]).abs().max().item()

    found = soft_maximum_error(student, teacher, 200.0).item()

    assert (found + math.log(6)) / 200 == pytest.approx(math.log(largest), abs=1e-3)


def test_what_is_learnt_exactly_has_a_least_error_and_no_gradient() -> None:
    student = features(5, seed=1).requires_grad_()

    loss = soft_maximum_error(student, student.detach(), 4.0)
    (gradient,) = torch.autograd.grad(loss, student)

    assert loss.item() == pytest.approx(math.log(1e-12))
    assert_close(gradient, torch.zeros_like(gradient))
