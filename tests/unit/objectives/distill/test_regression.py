import pytest
import torch
from torch import nn
from torch.testing import assert_close

from understudy.core.errors import UsageError
from understudy.core.settings import checked
from understudy.core.types import Outputs, Shape, Targets
from understudy.objectives.distill.regression import (
    RegressionSettings,
    meetings,
    negative_cosine,
)


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


@pytest.mark.parametrize(
    ("which", "symmetric", "pairs"),
    [
        ("same", True, [(0, 0), (1, 1)]),
        ("cross", True, [(0, 1), (1, 0)]),  # KASSL: L(s(t), T(t')) + L(s(t'), T(t))
        ("cross", False, [(0, 1)]),
        ("both", True, [(0, 0), (0, 1), (1, 0), (1, 1)]),
        ("both", False, [(0, 0), (0, 1)]),
    ],
)
def test_every_view_of_the_student_meets_those_of_the_teacher_that_are_asked_for(
    which: str, symmetric: bool, pairs: list[tuple[int, int]], student: Shape, targets: Targets
) -> None:
    asked = checked(
        RegressionSettings, {"head": "none", "views": which, "symmetric": symmetric}, origin="here"
    )
    mine, theirs = torch.randn(2, 4, 6), torch.randn(2, 4, 6)
    views = tuple(tuple(Outputs(pooled=one) for one in side) for side in (mine, theirs))

    found = asked.build(student, student, torch.arange(4))(*views, targets)["negative_cosine"]

    assert meetings(2, asked.views, symmetric=symmetric) == pairs
    expected = torch.stack([negative_cosine(mine[one], theirs[other]) for one, other in pairs])
    assert_close(found, expected.mean())
    assert -1 <= found <= 1  # averaged and not added up


def test_the_same_view_has_no_direction() -> None:
    with pytest.raises(UsageError, match=r"symmetric: `views: same` has no direction"):
        checked(RegressionSettings, {"symmetric": False}, origin="here")


def test_the_teacher_is_read_behind_its_projector_where_asked(
    student: Shape, teacher: Shape, targets: Targets
) -> None:
    asked = RegressionSettings(features="projected", head="linear")

    objective = asked.build(student, teacher, torch.arange(4))
    mine, theirs = torch.randn(4, 6), torch.randn(4, 4)
    found = objective((Outputs(pooled=mine),), (Outputs(projected=theirs),), targets)

    assert_close(found["negative_cosine"], negative_cosine(objective.head(mine), theirs))
    with pytest.raises(UsageError, match="'regression' needs a teacher with a projector"):
        asked.build(student, teacher._replace(projected=None), torch.arange(4))


@pytest.mark.parametrize("kind", ["fixed", "learned"])
def test_a_reduced_teacher_is_met_at_its_reduced_width(
    kind: str, student: Shape, teacher: Shape, targets: Targets
) -> None:
    asked = checked(
        RegressionSettings, {"reduction": {"width": 3, "projection": kind}}, origin="here"
    )
    objective = asked.build(student, teacher, torch.arange(4))
    mine, theirs = torch.randn(4, 6), torch.randn(4, 9)

    terms = objective((Outputs(pooled=mine),), (Outputs(pooled=theirs),), targets)

    assert objective.head(mine).shape == (4, 3)
    assert ("reduction" in terms) is (kind == "learned")
    assert objective.reduction is not None
    reduced = theirs @ objective.reduction.projection.T
    objective.eval()
    again = objective((Outputs(pooled=mine),), (Outputs(pooled=theirs),), targets)
    assert_close(again["negative_cosine"], negative_cosine(objective.head(mine), reduced))
    (moved,) = (
        torch.autograd.grad(
            terms["negative_cosine"], objective.reduction.projection, allow_unused=True
        )
        if kind == "learned"
        else (None,)
    )
    assert moved is None, "the agreement moves no reduction"


def test_a_teacher_narrower_than_its_reduction_is_refused(student: Shape, teacher: Shape) -> None:
    asked = checked(RegressionSettings, {"reduction": {"width": 10}}, origin="here")

    with pytest.raises(UsageError, match=r"`reduction.width` is 10.*gives 9 features.*at most 9"):
        asked.build(student, teacher, torch.arange(4))
