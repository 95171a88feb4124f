"""Algorithms 1 and 2 of Sun et al. 2024, one image and one class at a time."""

import math

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from understudy.objectives.distill.standardized import standardized, standardized_divergence


def z_scores(logits: list[float], temperature: float) -> list[float]:
    mean = sum(logits) / len(logits)
    deviation = math.sqrt(sum((value - mean) ** 2 for value in logits) / len(logits))
    return [(value - mean) / deviation / temperature for value in logits]


def probabilities(logits: list[float]) -> list[float]:
    total = sum(math.exp(value) for value in logits)
    return [math.exp(value) / total for value in logits]


def pair(batch: int, classes: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(15)
    shape = (2, batch, classes)
    student, teacher = 3 * torch.randn(shape, dtype=torch.float64, generator=generator)
    return student, teacher


@pytest.mark.parametrize("temperature", [0.5, 2.0, 4.0])
def test_it_is_the_divergence_between_softened_z_scores(temperature: float) -> None:
    student, teacher = pair(batch=5, classes=6)

    found = standardized_divergence(student, teacher, temperature)

    total = 0.0
    for learnt, taught in zip(student.tolist(), teacher.tolist(), strict=True):
        q, p = (probabilities(z_scores(each, temperature)) for each in (learnt, taught))
        total += sum(mine * math.log(mine / other) for mine, other in zip(p, q, strict=True))
    assert found.item() == pytest.approx(total / 5 * temperature**2, rel=1e-6)


def test_scale_and_shift_of_either_image_change_nothing() -> None:
    student, teacher = pair(batch=8, classes=6)
    scale = torch.linspace(0.5, 20, 8, dtype=torch.float64)[:, None]

    found = standardized_divergence(scale * student - 7, teacher / scale + scale, 2.0)

    assert_close(found, standardized_divergence(student, teacher, 2.0), rtol=1e-5, atol=0)


def test_z_scores_have_mean_0_and_deviation_1_and_are_bounded() -> None:
    certain = torch.tensor([[1e4, 0, 0, 0, 0]], dtype=torch.float64)
    logits, _ = pair(batch=8, classes=6)

    found = standardized(logits)

    assert_close(found.mean(dim=1), torch.zeros(8, dtype=torch.float64))
    assert_close(
        found.std(dim=1, correction=0), torch.ones(8, dtype=torch.float64), rtol=1e-6, atol=0
    )
    assert standardized(certain).max().item() == pytest.approx(math.sqrt(4))


def test_it_is_zero_for_a_student_that_orders_as_finely_with_another_size() -> None:
    """The toy case of the paper's figure 2: the plain divergence would prefer another student."""
    _, teacher = pair(batch=8, classes=6)

    found = standardized_divergence(0.1 * teacher + 3, teacher, 2.0)

    assert found.item() == pytest.approx(0, abs=1e-10)
