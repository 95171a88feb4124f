"""The loss of Barlow Twins, spelled out one pair of features at a time."""

import math

import pytest
import torch
from torch.testing import assert_close

from understudy.objectives.selfsup.redundancy_reduction import cross_correlation, redundancy


def slow_correlation(first: list[list[float]], second: list[list[float]]) -> list[list[float]]:
    def standardised(feature: tuple[float, ...]) -> list[float]:
        mean = sum(feature) / len(feature)
        variance = sum((value - mean) ** 2 for value in feature) / len(feature)
        return [(value - mean) / math.sqrt(variance + 1e-5) for value in feature]

    mine = [standardised(feature) for feature in zip(*first, strict=True)]
    other = [standardised(feature) for feature in zip(*second, strict=True)]
    return [
        [sum(a * b for a, b in zip(row, column, strict=True)) / len(first) for column in other]
        for row in mine
    ]


def test_it_is_the_correlation_over_the_batch() -> None:
    generator = torch.Generator().manual_seed(5)
    first, second = torch.randn((2, 9, 4), dtype=torch.float64, generator=generator)

    found = cross_correlation(first, second)

    expected = torch.tensor(slow_correlation(first.tolist(), second.tolist()), dtype=torch.float64)
    assert_close(found, expected)


def test_the_batch_norm_of_the_authors_gives_the_same() -> None:
    generator = torch.Generator().manual_seed(5)
    first, second = torch.randn((2, 9, 4), dtype=torch.float64, generator=generator)
    norm = torch.nn.BatchNorm1d(4, affine=False).double()

    assert_close(cross_correlation(first, second), norm(first).T @ norm(second) / 9)


def test_the_distance_from_the_identity_is_summed_over_the_matrix() -> None:
    matrix = torch.tensor([[0.5, 0.2, -0.1], [0.3, 1.0, 0.0], [-0.4, 0.6, -1.0]])

    same, redundant = redundancy(matrix)

    assert same.item() == pytest.approx(0.5**2 + 0 + 2**2)
    assert redundant.item() == pytest.approx(0.2**2 + 0.1**2 + 0.3**2 + 0.4**2 + 0.6**2)
