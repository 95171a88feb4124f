import torch
import torch.nn.functional as F
from torch import Tensor
from torch.testing import assert_close

from understudy.core.types import Outputs, Shape, Targets, Terms
from understudy.objectives.distill.decoupled import DecoupledSettings, decoupled_divergences

LEARNT, TAUGHT = torch.randn(2, 4, 5, generator=torch.Generator().manual_seed(21))
SETTINGS = DecoupledSettings(temperature=2, alpha=0.5, beta=3)


def asked(settings: DecoupledSettings, learnt: Tensor, taught: Tensor, targets: Targets) -> Terms:
    shape = Shape(pooled=6, stages=(), num_classes=learnt.shape[1])
    terms: Terms = settings.build(shape, shape, torch.arange(4))(
        (Outputs(logits=learnt),), (Outputs(logits=taught),), targets
    )
    return terms


def test_each_part_has_its_factor(targets: Targets) -> None:
    found = asked(SETTINGS, LEARNT, TAUGHT, targets)

    target, others = decoupled_divergences(LEARNT, TAUGHT, targets.labels, 2.0).mean(dim=1)
    assert_close(found, {"target": 0.5 * target, "non_target": 3 * others})


def test_images_without_a_label_count_neither_way(targets: Targets) -> None:
    half = targets._replace(labels=torch.tensor([0, -1, 2, -1]))

    found = asked(SETTINGS, LEARNT, TAUGHT, half)

    rows = torch.tensor([0, 2])
    few = targets._replace(labels=rows, index=rows)
    assert_close(found, asked(SETTINGS, LEARNT[rows], TAUGHT[rows], few))


def test_without_any_label_it_is_zero_with_zero_gradient(targets: Targets) -> None:
    student = LEARNT.clone().requires_grad_()
    none = targets._replace(labels=torch.full((4,), -1))

    found = asked(SETTINGS, student, TAUGHT, none)
    torch.stack(list(found.values())).sum().backward()  # type: ignore[no-untyped-call]

    assert all(value.item() == 0 for value in found.values())
    assert_close(student.grad, torch.zeros(4, 5))


def test_mixed_images_are_split_at_both_labels_by_their_shares(targets: Targets) -> None:
    partner, share = torch.tensor([1, 0, 3, 2]), torch.tensor([0.9, 0.7, 0.6, 1.0])

    found = asked(SETTINGS, LEARNT, TAUGHT, targets._replace(mix=(partner, share)))

    own = decoupled_divergences(LEARNT, TAUGHT, targets.labels, 2.0)
    other = decoupled_divergences(LEARNT, TAUGHT, targets.labels[partner], 2.0)
    target, others = (share * own + (1 - share) * other).mean(dim=1)
    assert_close(found, {"target": 0.5 * target, "non_target": 3 * others})


def test_stored_answers_of_a_certain_teacher_in_half_precision_stay_finite(
    targets: Targets,
) -> None:
    """Where the usual code takes the logarithm of a probability that is rounded to zero."""
    for classes in (2, 5):
        labels = targets.labels % classes
        certain = (1e4 * F.one_hot(labels, classes)).half()
        student = (-certain).clone().requires_grad_()

        found = asked(DecoupledSettings(), student, certain, targets._replace(labels=labels))
        torch.stack(list(found.values())).sum().backward()  # type: ignore[no-untyped-call]

        assert all(value.isfinite() for value in found.values())
        assert student.grad is not None and student.grad.isfinite().all()
