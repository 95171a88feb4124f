import torch
import torch.nn.functional as F
from torch.testing import assert_close

from understudy.core.types import Outputs, Shape, Targets
from understudy.objectives.distill.hard_label import HardLabelSettings


def test_each_view_learns_the_teachers_answer_to_that_view(
    student: Shape, teacher: Shape, targets: Targets
) -> None:
    learnt, taught = torch.randn(2, 4, 5), torch.randn(2, 4, 5)

    found = HardLabelSettings().build(student, teacher, torch.arange(4))(
        tuple(Outputs(logits=logits) for logits in learnt),
        tuple(Outputs(logits=logits) for logits in taught),
        targets,
    )

    losses = [
        F.cross_entropy(mine, other.argmax(dim=1))
        for mine, other in zip(learnt, taught, strict=True)
    ]
    assert_close(found["cross_entropy"], sum(losses) / 2)


def test_a_doubting_teacher_is_not_believed(
    student: Shape, teacher: Shape, targets: Targets
) -> None:
    doubting = torch.tensor([[0.1, 0.0, 0.0, 0.0, 0.0]] * 4)

    found = HardLabelSettings(threshold=0.5).build(student, teacher, torch.arange(4))(
        (Outputs(logits=torch.randn(4, 5)),), (Outputs(logits=doubting),), targets
    )

    assert found["cross_entropy"].item() == 0
