"""The softened divergence, spelled out one image and one class at a time."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.testing import assert_close

from understudy.objectives.distill.soft_label import soft_label_divergence


def softened(logits: list[float], temperature: float) -> list[float]:
    exponentials = [math.exp((value - max(logits)) / temperature) for value in logits]
    return [value / sum(exponentials) for value in exponentials]


def pair(batch: int, classes: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(4)
    shape = (2, batch, classes)
    student, teacher = 3 * torch.randn(shape, dtype=torch.float64, generator=generator)
    return student, teacher


@pytest.mark.parametrize("temperature", [0.5, 1.0, 4.0])
def test_it_sums_over_classes_from_the_teachers_side_and_averages_over_the_batch(
    temperature: float,
) -> None:
    student, teacher = pair(batch=5, classes=6)

    found = soft_label_divergence(student, teacher, temperature)

    total = 0.0
    for learnt, taught in zip(student.tolist(), teacher.tolist(), strict=True):
        q, p = softened(learnt, temperature), softened(taught, temperature)
        total += sum(mine * math.log(mine / other) for mine, other in zip(p, q, strict=True))
    assert found.item() == pytest.approx(total / 5 * temperature**2, rel=1e-12)


def test_a_certain_teacher_gives_cross_entropy() -> None:
    student, _ = pair(batch=8, classes=6)
    labels = torch.arange(8) % 6
    certain = 1e4 * F.one_hot(labels, 6).double()

    found = soft_label_divergence(student, certain, 1.0)

    assert_close(found, F.cross_entropy(student, labels))


def test_it_is_zero_when_the_student_equals_the_teacher() -> None:
    student, _ = pair(batch=8, classes=6)

    found = soft_label_divergence(student, student.clone(), 4.0)

    assert found.item() == 0


def test_a_constant_added_to_the_logits_changes_nothing() -> None:
    student, teacher = pair(batch=8, classes=6)

    found = soft_label_divergence(student + 7, teacher - 3, 4.0)

    assert_close(found, soft_label_divergence(student, teacher, 4.0))


def test_at_a_large_temperature_it_matches_centred_logits() -> None:
    """Hinton et al. 2015, equation 4: half the mean squared distance over the classes."""
    student, teacher = pair(batch=8, classes=6)

    found = soft_label_divergence(student, teacher, 1e5)

    def centred(logits: Tensor) -> Tensor:
        return logits - logits.mean(dim=1, keepdim=True)

    distance = (centred(student) - centred(teacher)).square().sum(dim=1).mean()
    assert_close(found, distance / (2 * 6), rtol=1e-4, atol=0)


def test_its_gradient_is_temperature_times_the_difference_of_probabilities() -> None:
    student, teacher = pair(batch=1, classes=6)
    student.requires_grad_()

    soft_label_divergence(student, teacher, 4.0).backward()  # type: ignore[no-untyped-call]

    expected = 4.0 * ((student / 4.0).softmax(dim=1) - (teacher / 4.0).softmax(dim=1))
    assert_close(student.grad, expected.detach())
