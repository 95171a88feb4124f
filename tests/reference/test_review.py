"""The review's pyramid, spelled out one cell at a time."""

import pytest
import torch
from torch import Tensor

from understudy.objectives.distill.review import pyramid_distance


def slow_averaged(image: list[list[float]], side: int) -> list[list[float]]:
    """Cell k of `side` spans from floor(k n / side) to ceil((k + 1) n / side)."""
    height, width = len(image), len(image[0])

    def span(cell: int, size: int) -> range:
        return range(cell * size // side, -(-(cell + 1) * size // side))

    def average(row: int, column: int) -> float:
        values = [image[y][x] for y in span(row, height) for x in span(column, width)]
        return sum(values) / len(values)

    return [[average(row, column) for column in range(side)] for row in range(side)]


def slow_mean_square(student: Tensor, teacher: Tensor, side: int | None) -> float:
    squares: list[float] = []
    for mine, other in zip(student.flatten(0, 1), teacher.flatten(0, 1), strict=True):
        first, second = mine.tolist(), other.tolist()
        if side is not None:
            first, second = slow_averaged(first, side), slow_averaged(second, side)
        squares += [
            (a - b) ** 2
            for one, two in zip(first, second, strict=True)
            for a, b in zip(one, two, strict=True)
        ]
    return sum(squares) / len(squares)


@pytest.mark.parametrize(
    ("size", "sides"),
    [((8, 8), [4, 2, 1]), ((7, 5), [4, 2, 1]), ((4, 4), [2, 1]), ((2, 3), [1]), ((1, 1), [])],
)
def test_each_coarser_map_counts_half_as_much(size: tuple[int, int], sides: list[int]) -> None:
    generator = torch.Generator().manual_seed(10)
    student, teacher = torch.randn((2, 3, 4, *size), dtype=torch.float64, generator=generator)

    found = pyramid_distance(student, teacher)

    parts = [slow_mean_square(student, teacher, side) for side in (None, *sides)]
    weights = [1 / 2**level for level in range(len(parts))]
    expected = sum(w * part for w, part in zip(weights, parts, strict=True)) / sum(weights)
    assert found.item() == pytest.approx(expected, abs=1e-12)
