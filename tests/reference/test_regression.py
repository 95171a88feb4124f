"""The negative cosine, spelled out one image at a time."""

import math

import pytest
import torch
from torch.testing import assert_close

from understudy.objectives.distill.regression import negative_cosine


def test_it_is_the_mean_of_the_negative_cosines() -> None:
    generator = torch.Generator().manual_seed(6)
    student, teacher = torch.randn((2, 9, 5), dtype=torch.float64, generator=generator)

    found = negative_cosine(student, teacher)

    cosines = [
        sum(a * b for a, b in zip(learnt, taught, strict=True))
        / (math.hypot(*learnt) * math.hypot(*taught))
        for learnt, taught in zip(student.tolist(), teacher.tolist(), strict=True)
    ]
    assert found.item() == pytest.approx(-sum(cosines) / 9, abs=1e-12)


def test_aligned_features_give_minus_one() -> None:
    teacher = torch.randn(9, 5, dtype=torch.float64)

    assert negative_cosine(3 * teacher, teacher).item() == pytest.approx(-1, abs=1e-12)


def test_the_length_of_either_side_changes_nothing() -> None:
    student, teacher = torch.randn((2, 9, 5), dtype=torch.float64)

    assert_close(negative_cosine(0.01 * student, 50 * teacher), negative_cosine(student, teacher))


def test_features_of_zero_length_stay_finite() -> None:
    student = torch.zeros(3, 5, requires_grad=True)

    loss = negative_cosine(student, torch.ones(3, 5))
    loss.backward()  # type: ignore[no-untyped-call]

    assert loss.item() == 0
    assert student.grad is not None and student.grad.isfinite().all()
