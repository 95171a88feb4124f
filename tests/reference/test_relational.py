"""Relational distillation, spelled out one pair and one triplet of images at a time."""

import math
from itertools import permutations

import pytest
import torch

from understudy.objectives.distill.relational import relation_losses

Features = list[list[float]]


def huber(difference: float) -> float:
    size = abs(difference)
    return size**2 / 2 if size <= 1 else size - 1 / 2


def slow_distances(features: Features) -> dict[tuple[int, int], float]:
    pairs = permutations(range(len(features)), 2)
    distances = {(i, j): math.dist(features[i], features[j]) for i, j in pairs}
    average = sum(distances.values()) / len(distances)
    return {pair: distance / average for pair, distance in distances.items()}


def slow_angles(features: Features) -> dict[tuple[int, int, int], float]:
    def cosine(corner: int, first: int, second: int) -> float:
        ways = [
            [a - b for a, b in zip(features[end], features[corner], strict=True)]
            for end in (first, second)
        ]
        product: float = sum(a * b for a, b in zip(*ways, strict=True))
        return product / (math.hypot(*ways[0]) * math.hypot(*ways[1]))

    return {triplet: cosine(*triplet) for triplet in permutations(range(len(features)), 3)}


def test_both_parts_average_the_huber_loss_over_different_images() -> None:
    generator = torch.Generator().manual_seed(5)
    student = torch.randn(6, 4, dtype=torch.float64, generator=generator)
    teacher = torch.randn(6, 7, dtype=torch.float64, generator=generator).exp()

    distance, angle = relation_losses(student, teacher)

    mine, other = slow_distances(student.tolist()), slow_distances(teacher.tolist())
    expected = sum(huber(mine[pair] - other[pair]) for pair in mine) / len(mine)
    assert distance.item() == pytest.approx(expected, abs=1e-12)
    here, there = slow_angles(student.tolist()), slow_angles(teacher.tolist())
    expected = sum(huber(here[triplet] - there[triplet]) for triplet in here) / len(here)
    assert angle.item() == pytest.approx(expected, abs=1e-12)


def test_a_right_angle_against_a_straight_line() -> None:
    """Each of the three corners has two orders; the cosines 0, 1/√2, 1/√2 meet -1, 1, 1."""
    corner = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]], dtype=torch.float64)
    line = torch.tensor([[0.0], [1.0], [-1.0]], dtype=torch.float64)

    _, angle = relation_losses(corner, line)

    expected = (huber(1) + 2 * huber(1 - 1 / math.sqrt(2))) / 3
    assert angle.item() == pytest.approx(expected, abs=1e-12)
