import torch
from torch.testing import assert_close

from understudy.core.types import Outputs, Shape, Targets
from understudy.objectives.distill.dist import DistSettings, relation_distances


def test_each_view_learns_the_teachers_answer_to_that_view(
    student: Shape, teacher: Shape, targets: Targets
) -> None:
    learnt, taught = torch.randn(2, 4, 5), torch.randn(2, 4, 5)

    found = DistSettings(temperature=2, beta=0.5, gamma=3).build(student, teacher, torch.arange(4))(
        tuple(Outputs(logits=logits) for logits in learnt),
        tuple(Outputs(logits=logits) for logits in taught),
        targets,
    )

    both = [relation_distances(*pair, 2.0) for pair in zip(learnt, taught, strict=True)]
    assert_close(found["inter_class"], 0.5 * sum(inter for inter, _ in both) / 2)
    assert_close(found["intra_class"], 3 * sum(intra for _, intra in both) / 2)


def test_equal_probabilities_and_a_certain_teacher_stay_finite() -> None:
    certain = 1e4 * torch.eye(5)[[0, 0, 0, 0]]  # of four classes, all images say the same
    student = torch.zeros(4, 5, requires_grad=True)

    inter, intra = relation_distances(student, certain, 1.0)
    (inter + intra).backward()  # type: ignore[no-untyped-call]

    assert_close((inter, intra), (torch.ones(()), torch.ones(())))
    assert student.grad is not None and student.grad.isfinite().all()
