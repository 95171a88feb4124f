"""The two parts of Zhao et al. 2022, one image and one class at a time."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.testing import assert_close

from understudy.objectives.distill.decoupled import decoupled_divergences
from understudy.objectives.distill.soft_label import soft_label_divergence


def softened(logits: list[float], temperature: float) -> list[float]:
    exponentials = [math.exp(value / temperature) for value in logits]
    return [value / sum(exponentials) for value in exponentials]


def divergence(p: list[float], q: list[float]) -> float:
    return sum(mine * math.log(mine / other) for mine, other in zip(p, q, strict=True))


def literal(
    student: list[float], teacher: list[float], label: int, temperature: float
) -> tuple[float, float]:
    """Target-class and non-target-class divergence of one image, from probabilities."""
    q, p = softened(student, temperature), softened(teacher, temperature)
    target = divergence([p[label], 1 - p[label]], [q[label], 1 - q[label]])
    others = [index for index in range(len(p)) if index != label]
    non_target = divergence(
        [p[index] / (1 - p[label]) for index in others],
        [q[index] / (1 - q[label]) for index in others],
    )
    return temperature**2 * target, temperature**2 * non_target


def pair(batch: int, classes: int) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(16)
    shape = (2, batch, classes)
    student, teacher = 3 * torch.randn(shape, dtype=torch.float64, generator=generator)
    return student, teacher, torch.arange(batch) % classes


@pytest.mark.parametrize("temperature", [1.0, 4.0])
@pytest.mark.parametrize("classes", [3, 7])
def test_both_parts_are_those_of_the_paper(temperature: float, classes: int) -> None:
    student, teacher, labels = pair(batch=9, classes=classes)

    found = decoupled_divergences(student, teacher, labels, temperature)

    expected = [
        literal(*images, temperature)
        for images in zip(student.tolist(), teacher.tolist(), labels.tolist(), strict=True)
    ]
    assert_close(found, torch.tensor(expected, dtype=torch.float64).T)


@pytest.mark.parametrize("temperature", [1.0, 4.0])
def test_the_parts_reassemble_into_the_divergence_image_by_image(temperature: float) -> None:
    """The paper's reformulation: target part + (1 - p of the target) x non-target part."""
    student, teacher, labels = pair(batch=9, classes=7)
    sure = (teacher / temperature).softmax(dim=1).gather(1, labels[:, None])[:, 0]

    target, others = decoupled_divergences(student, teacher, labels, temperature)

    whole = torch.stack(
        [
            soft_label_divergence(student[image, None], teacher[image, None], temperature)
            for image in range(9)
        ]
    )
    assert_close(target + (1 - sure) * others, whole)


def test_of_two_classes_the_first_part_is_all() -> None:
    student, teacher, labels = pair(batch=9, classes=2)
    student.requires_grad_()

    target, others = decoupled_divergences(student, teacher, labels, 4.0)
    (target + others).sum().backward()

    assert_close(target.mean(), soft_label_divergence(student, teacher, 4.0))
    assert_close(others, torch.zeros(9, dtype=torch.float64))
    assert student.grad is not None and student.grad.isfinite().all()


def test_a_certain_teacher_leaves_cross_entropy_and_its_opinion_of_the_others() -> None:
    student, _, labels = pair(batch=9, classes=7)
    certain = 1e4 * F.one_hot(labels, 7).double()

    target, others = decoupled_divergences(student, certain, labels, 1.0)

    assert_close(target, F.cross_entropy(student, labels, reduction="none"))
    flat = decoupled_divergences(student, torch.zeros_like(student), labels, 1.0)[1]
    assert_close(others, flat)
