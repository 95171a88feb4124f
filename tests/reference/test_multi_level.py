"""The three levels of Jin et al. 2023, one product of probabilities at a time."""

import math

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from understudy.objectives.distill.multi_level import level_distances


def softened(logits: list[float], temperature: float) -> list[float]:
    exponentials = [math.exp(value / temperature) for value in logits]
    return [value / sum(exponentials) for value in exponentials]


def product(first: list[float], second: list[float]) -> float:
    return sum(a * b for a, b in zip(first, second, strict=True))


def pair(batch: int, classes: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(18)
    shape = (2, batch, classes)
    student, teacher = 3 * torch.randn(shape, dtype=torch.float64, generator=generator)
    return student, teacher


@pytest.mark.parametrize("temperature", [1.0, 4.0])
def test_the_levels_are_the_papers_but_for_the_size_of_the_batch(temperature: float) -> None:
    batch, classes = 5, 4
    student, teacher = pair(batch, classes)

    found = level_distances(student, teacher, temperature)

    q = [softened(image, temperature) for image in student.tolist()]
    p = [softened(image, temperature) for image in teacher.tolist()]
    instance = sum(
        p[image][label] * math.log(p[image][label] / q[image][label])
        for image in range(batch)
        for label in range(classes)
    )
    of_batch = sum(
        (product(p[one], p[other]) - product(q[one], q[other])) ** 2
        for one in range(batch)
        for other in range(batch)
    )
    p_of, q_of = ([[row[label] for row in each] for label in range(classes)] for each in (p, q))
    of_classes = sum(
        (product(p_of[one], p_of[other]) - product(q_of[one], q_of[other])) ** 2
        for one in range(classes)
        for other in range(classes)
    )
    assert found.instance.item() == pytest.approx(instance / batch * temperature**2)
    assert batch * found.batch.item() == pytest.approx(of_batch / batch)
    assert batch**2 * found.classes.item() == pytest.approx(of_classes / classes)


def test_a_batch_twice_over_is_the_same() -> None:
    student, teacher = pair(batch=8, classes=6)

    found = level_distances(student.repeat(2, 1), teacher.repeat(2, 1), 4.0)

    assert_close(found, level_distances(student, teacher, 4.0))


def test_every_level_is_zero_when_the_student_equals_the_teacher_but_for_a_constant() -> None:
    student, _ = pair(batch=8, classes=6)

    found = level_distances(student, student + 3, 4.0)

    assert_close(torch.stack(found), torch.zeros(3, dtype=torch.float64))
