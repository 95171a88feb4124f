"""Similarity-preserving distillation, spelled out one pair of images at a time."""

import math

import pytest
import torch

from understudy.objectives.distill.similarity import similarity_distance

Features = list[list[float]]


def slow_similarities(features: Features) -> list[list[float]]:
    rows = []
    for image in features:
        row = [sum(a * b for a, b in zip(image, other, strict=True)) for other in features]
        length = math.sqrt(sum(value**2 for value in row))
        rows.append([value / length for value in row])
    return rows


def test_it_is_the_papers_times_the_batch_size() -> None:
    generator = torch.Generator().manual_seed(4)
    student = torch.randn(6, 5, dtype=torch.float64, generator=generator)
    teacher = torch.randn(6, 9, dtype=torch.float64, generator=generator)

    found = similarity_distance(student, teacher)

    mine, other = slow_similarities(student.tolist()), slow_similarities(teacher.tolist())
    frobenius = sum((mine[i][j] - other[i][j]) ** 2 for i in range(6) for j in range(6))
    paper = frobenius / 6**2
    assert found.item() == pytest.approx(6 * paper, abs=1e-12)


def test_images_all_alike_against_images_all_apart() -> None:
    """Rows of 1/√B against rows of the unit matrix: 2 - 2/√B each."""
    alike, apart = torch.ones(9, 3, dtype=torch.float64), torch.eye(9, dtype=torch.float64)

    assert similarity_distance(alike, apart).item() == pytest.approx(2 - 2 / 3)
