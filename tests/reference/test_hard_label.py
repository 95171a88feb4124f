"""Pseudo-labels, spelled out one image at a time."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch.testing import assert_close

from understudy.objectives.distill.hard_label import hard_label_cross_entropy


def probabilities(logits: list[float]) -> list[float]:
    exponentials = [math.exp(value - max(logits)) for value in logits]
    return [value / sum(exponentials) for value in exponentials]


@pytest.mark.parametrize("threshold", [0.0, 0.6, 0.95])
def test_it_is_the_cross_entropy_with_the_likeliest_class_where_the_teacher_is_sure(
    threshold: float,
) -> None:
    generator = torch.Generator().manual_seed(3)
    student = torch.randn(40, 5, dtype=torch.float64, generator=generator)
    teacher = 2 * torch.randn(40, 5, dtype=torch.float64, generator=generator)

    found = hard_label_cross_entropy(student, teacher, threshold)

    losses = []
    for learnt, taught in zip(student.tolist(), teacher.tolist(), strict=True):
        answer = probabilities(taught)
        label = answer.index(max(answer))
        sure = max(answer) >= threshold
        losses.append(-math.log(probabilities(learnt)[label]) if sure else 0.0)
    assert found.item() == pytest.approx(sum(losses) / 40, abs=1e-12)
    assert threshold == 0 or 0 < losses.count(0.0) < 40


def test_without_a_threshold_it_is_the_cross_entropy_with_the_argmax() -> None:
    student, teacher = torch.randn(9, 7), torch.randn(9, 7)

    found = hard_label_cross_entropy(student, teacher, 0.0)

    assert_close(found, F.cross_entropy(student, teacher.argmax(dim=1)))
