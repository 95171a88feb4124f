import torch
import torch.nn.functional as F
from torch.testing import assert_close

from understudy.core.types import Outputs, Shape, Targets
from understudy.objectives.distill.logit_mse import LogitMseSettings


def test_each_view_learns_the_teachers_answer_to_that_view(
    student: Shape, teacher: Shape, targets: Targets
) -> None:
    learnt, taught = torch.randn(2, 4, 5), torch.randn(2, 4, 5)

    found = LogitMseSettings().build(student, teacher, torch.arange(4))(
        tuple(Outputs(logits=logits) for logits in learnt),
        tuple(Outputs(logits=logits) for logits in taught),
        targets,
    )

    assert_close(found["distance"], F.mse_loss(learnt, taught))
