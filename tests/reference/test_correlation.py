"""Correlation congruence, spelled out one pair of images at a time."""

import math

import pytest
import torch

from understudy.objectives.distill.correlation import correlation_distance

Features = list[list[float]]


def slow_kernel(first: list[float], second: list[float], gamma: float, order: int) -> float:
    product = sum(a * b for a, b in zip(first, second, strict=True))
    cosine = product / (math.hypot(*first) * math.hypot(*second))
    return sum(
        math.exp(-2 * gamma) * (2 * gamma) ** p / math.factorial(p) * cosine**p
        for p in range(order + 1)
    )


@pytest.mark.parametrize(("gamma", "order"), [(0.4, 2), (0.4, 1), (1.5, 3)])
def test_it_averages_the_squared_difference_over_pairs_of_two_images(
    gamma: float, order: int
) -> None:
    generator = torch.Generator().manual_seed(8)
    student = torch.randn(6, 4, dtype=torch.float64, generator=generator)
    teacher = torch.randn(6, 7, dtype=torch.float64, generator=generator)

    found = correlation_distance(student, teacher, gamma, order)

    mine, other = student.tolist(), teacher.tolist()
    squares = [
        (
            slow_kernel(mine[i], mine[j], gamma, order)
            - slow_kernel(other[i], other[j], gamma, order)
        )
        ** 2
        for i in range(6)
        for j in range(6)
        if i != j
    ]
    assert found.item() == pytest.approx(sum(squares) / len(squares), abs=1e-12)
