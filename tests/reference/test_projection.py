"""The soft maximum of the errors, spelled out one feature and one image at a time."""

import math

import pytest
import torch

from understudy.objectives.distill.projection import LEAST_VARIANCE, soft_maximum_error

Features = list[list[float]]


def slow_standardised(features: Features) -> Features:
    columns = []
    for column in zip(*features, strict=True):
        middle = sum(column) / len(column)
        variance = sum((value - middle) ** 2 for value in column) / len(column)
        columns.append([(v - middle) / math.sqrt(variance + LEAST_VARIANCE) for v in column])
    return [list(row) for row in zip(*columns, strict=True)]


@pytest.mark.parametrize("power", [1.0, 2.0, 4.0])
def test_it_is_the_papers_less_the_logarithm_of_the_batch_size(power: float) -> None:
    generator = torch.Generator().manual_seed(9)
    student, teacher = torch.randn((2, 6, 4), dtype=torch.float64, generator=generator)

    found = soft_maximum_error(student, teacher, power)

    pairs = zip(
        slow_standardised(student.tolist()), slow_standardised(teacher.tolist()), strict=True
    )
    paper = math.log(
        sum(abs(a - b) ** power for mine, other in pairs for a, b in zip(mine, other, strict=True))
    )
    assert found.item() == pytest.approx(paper - math.log(6), abs=1e-12)
