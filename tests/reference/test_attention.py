"""Attention transfer, spelled out one image and one place at a time."""

import math

import pytest
import torch
from torch import Tensor

from understudy.objectives.distill.attention import attention_distance

Maps = list[list[list[list[float]]]]


def slow_attention(image: list[list[list[float]]], power: float) -> list[float]:
    channels, height, width = len(image), len(image[0]), len(image[0][0])
    strengths = [
        sum(abs(image[c][y][x]) ** power for c in range(channels)) / channels
        for y in range(height)
        for x in range(width)
    ]
    length = math.sqrt(sum(strength**2 for strength in strengths))
    return [strength / length for strength in strengths]


def slow_distance(student: Maps, teacher: Maps, power: float) -> float:
    squares = []
    for mine, other in zip(student, teacher, strict=True):
        pairs = zip(slow_attention(mine, power), slow_attention(other, power), strict=True)
        squares += [(a - b) ** 2 for a, b in pairs]
    return sum(squares) / len(squares)


def maps(*size: int, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(size, dtype=torch.float64, generator=generator)


@pytest.mark.parametrize("power", [1.0, 2.0, 3.0])
def test_it_averages_the_squared_difference_over_images_and_places(power: float) -> None:
    student, teacher = maps(3, 4, 5, 2, seed=1), maps(3, 6, 5, 2, seed=2)

    found = attention_distance(student, teacher, power)

    expected = slow_distance(student.tolist(), teacher.tolist(), power)
    assert found.item() == pytest.approx(expected, abs=1e-12)


def test_attention_in_other_places_costs_two_over_their_number() -> None:
    here, there = torch.zeros(2, 1, 3, 3), torch.zeros(2, 1, 3, 3)
    here[:, :, 0, 0] = 5.0
    there[:, :, 2, 1] = 0.1

    assert attention_distance(here, there, 2.0).item() == pytest.approx(2 / 9)
