"""The softened divergence, spelled out one image and one class at a time."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.testing import assert_close

from understudy.objectives.distill.soft_label import (
    DIVERGENCES,
    jensen_shannon_divergence,
    soft_label_divergence,
)


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


@pytest.mark.parametrize("temperature", [1.0, 4.0])
def test_the_other_directions_are_what_their_names_say(temperature: float) -> None:
    student, teacher = pair(batch=5, classes=6)

    found = [divergence(student, teacher, temperature) for divergence in DIVERGENCES.values()]

    forward, reverse, shannon = 0.0, 0.0, 0.0
    for learnt, taught in zip(student.tolist(), teacher.tolist(), strict=True):
        for q, p in zip(softened(learnt, temperature), softened(taught, temperature), strict=True):
            forward += p * math.log(p / q)
            reverse += q * math.log(q / p)
            shannon += (p * math.log(2 * p / (p + q)) + q * math.log(2 * q / (p + q))) / 2
    expected = [total / 5 * temperature**2 for total in (forward, reverse, shannon)]
    assert list(DIVERGENCES) == ["forward", "reverse", "jensen_shannon"]
    assert [value.item() for value in found] == pytest.approx(expected, rel=1e-12)


def test_jensen_shannon_is_symmetric_and_bounded() -> None:
    student, teacher = pair(batch=8, classes=6)
    first, last = 1e4 * torch.eye(6, dtype=torch.float64)[[0, 5], None]

    there = jensen_shannon_divergence(student, teacher, 4.0)

    assert_close(there, jensen_shannon_divergence(teacher, student, 4.0))
    assert jensen_shannon_divergence(first, last, 4.0).item() == pytest.approx(16 * math.log(2))


def test_close_to_the_teacher_jensen_shannon_is_a_quarter_of_either_direction() -> None:
    student, _ = pair(batch=8, classes=6)
    near = student + 1e-3 * torch.randn_like(student)

    forward, reverse, shannon = (
        divergence(near, student, 2.0) for divergence in DIVERGENCES.values()
    )

    assert_close(reverse, forward, rtol=1e-2, atol=0)
    assert_close(4 * shannon, forward, rtol=1e-2, atol=0)


def test_a_mean_of_probabilities_teaches_the_mean_of_what_its_teachers_teach() -> None:
    """The forward divergence is linear in the teacher's probabilities, but for its entropy."""
    generator = torch.Generator().manual_seed(5)
    teachers = torch.randn(3, 8, 6, dtype=torch.float64, generator=generator)
    student, _ = pair(batch=8, classes=6)
    student.requires_grad_()

    def taught(teacher: Tensor) -> Tensor:
        (gradient,) = torch.autograd.grad(soft_label_divergence(student, teacher, 4.0), student)
        return gradient

    ensemble = 4.0 * (teachers / 4.0).softmax(dim=2).mean(dim=0).log()
    assert_close(taught(ensemble), torch.stack([taught(each) for each in teachers]).mean(dim=0))
