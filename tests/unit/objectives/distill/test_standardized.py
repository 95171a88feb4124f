import pytest
import torch
from torch.testing import assert_close

from understudy.core.errors import UsageError
from understudy.core.types import Outputs, Shape, Targets
from understudy.objectives.distill.standardized import (
    StandardizedSettings,
    standardized_divergence,
)


def test_each_view_learns_the_teachers_answer_to_that_view(
    student: Shape, teacher: Shape, targets: Targets
) -> None:
    learnt, taught = torch.randn(2, 4, 5), torch.randn(2, 4, 5)

    found = StandardizedSettings(temperature=3).build(student, teacher, torch.arange(4))(
        tuple(Outputs(logits=logits) for logits in learnt),
        tuple(Outputs(logits=logits) for logits in taught),
        targets,
    )

    losses = [standardized_divergence(*pair, 3.0) for pair in zip(learnt, taught, strict=True)]
    assert_close(found["divergence"], sum(losses) / 2)


def test_a_student_that_begins_with_equal_logits_learns_at_a_bounded_pace() -> None:
    student = torch.zeros(4, 5, requires_grad=True)

    standardized_divergence(student, torch.randn(4, 5), 2.0).backward()  # type: ignore[no-untyped-call]

    assert student.grad is not None
    assert 0 < student.grad.abs().max() < 2 * 3200


def test_two_classes_are_refused(student: Shape) -> None:
    two = student._replace(num_classes=2)

    with pytest.raises(UsageError, match=r"'standardized'.*two classes.*`soft_label`"):
        StandardizedSettings().build(two, two, torch.arange(4))
