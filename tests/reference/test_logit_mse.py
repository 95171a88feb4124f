"""The distance between logits, spelled out one image and one class at a time."""

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from understudy.objectives.distill.logit_mse import logit_distance
from understudy.objectives.distill.soft_label import soft_label_divergence


def pair(batch: int, classes: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(14)
    shape = (2, batch, classes)
    student, teacher = 3 * torch.randn(shape, dtype=torch.float64, generator=generator)
    return student, teacher


def test_it_averages_the_squares_over_batch_and_classes() -> None:
    student, teacher = pair(batch=5, classes=6)

    found = logit_distance(student, teacher)

    total = 0.0
    for learnt, taught in zip(student.tolist(), teacher.tolist(), strict=True):
        total += sum((mine - other) ** 2 for mine, other in zip(learnt, taught, strict=True))
    assert found.item() == pytest.approx(total / (5 * 6), rel=1e-12)


def test_half_of_it_is_what_the_divergence_of_centred_logits_tends_to() -> None:
    """Kim et al. 2021: a high temperature matches logits."""
    student, teacher = (
        logits - logits.mean(dim=1, keepdim=True) for logits in pair(batch=8, classes=6)
    )

    found = logit_distance(student, teacher)

    assert_close(soft_label_divergence(student, teacher, 1e5), found / 2, rtol=1e-4, atol=0)


def test_the_mean_of_the_logits_counts_too() -> None:
    student, _ = pair(batch=8, classes=6)

    found = logit_distance(student, student + 2)

    assert found.item() == pytest.approx(4)
