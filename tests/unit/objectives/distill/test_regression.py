import pytest
import torch
from torch import nn
from torch.testing import assert_close

from understudy.core.errors import UsageError
from understudy.core.types import Outputs, Shape, Targets
from understudy.objectives.distill.regression import RegressionSettings, negative_cosine


def test_same_views_are_compared_with_same_and_crossed_ones_with_the_others(
    student: Shape, targets: Targets
) -> None:
    (s1, s2), (t1, t2) = torch.randn(2, 4, 6), torch.randn(2, 4, 6)
    views = (Outputs(pooled=s1), Outputs(pooled=s2)), (Outputs(pooled=t1), Outputs(pooled=t2))

    same = RegressionSettings(head="none", views="same").build(student, student, torch.arange(4))
    crossed = RegressionSettings(head="none", views="cross").build(
        student, student, torch.arange(4)
    )

    expected = (negative_cosine(s1, t1) + negative_cosine(s2, t2)) / 2
    assert_close(same(*views, targets)["negative_cosine"], expected)
    expected = (negative_cosine(s1, t2) + negative_cosine(s2, t1)) / 2
    assert_close(crossed(*views, targets)["negative_cosine"], expected)
    assert (same.views, crossed.views) == (1, 2)


def test_the_head_maps_the_students_width_to_the_teachers(student: Shape, teacher: Shape) -> None:
    linear = RegressionSettings(head="linear").build(student, teacher, torch.arange(4)).head
    mlp = RegressionSettings(head="mlp").build(student, teacher, torch.arange(4)).head

    assert linear(torch.rand(4, 6)).shape == mlp(torch.rand(4, 6)).shape == (4, 9)
    widths = [layer.out_features for layer in mlp.modules() if isinstance(layer, nn.Linear)]
    assert widths == [12, 6, 12, 9]  # SimReg: 2D, D, 2D, D'


def test_without_a_head_the_widths_must_be_equal(student: Shape, teacher: Shape) -> None:
    with pytest.raises(UsageError, match=r"`head: none`.*6 .*teacher 9.*`head: linear`"):
        RegressionSettings(head="none").build(student, teacher, torch.arange(4))


def test_without_a_teacher_it_is_refused(student: Shape) -> None:
    with pytest.raises(UsageError, match=r"'regression' learns from a teacher"):
        RegressionSettings().build(student, None, torch.arange(4))
