"""The three parts of VICReg, spelled out one number at a time."""

import math

import pytest
import torch

from understudy.core.types import Outputs, Targets
from understudy.objectives.selfsup.vicreg import Vicreg

Rows = list[list[float]]


def variances(rows: Rows) -> list[float]:
    return [covariances(rows)[at][at] for at in range(len(rows[0]))]


def covariances(rows: Rows) -> list[list[float]]:
    features = list(zip(*rows, strict=True))
    means = [sum(feature) / len(rows) for feature in features]
    return [
        [
            sum((a - ma) * (b - mb) for a, b in zip(first, second, strict=True)) / (len(rows) - 1)
            for second, mb in zip(features, means, strict=True)
        ]
        for first, ma in zip(features, means, strict=True)
    ]


def test_the_parts_are_those_of_the_authors_code() -> None:
    generator = torch.Generator().manual_seed(5)
    first, second = 0.8 * torch.randn((2, 9, 4), dtype=torch.float64, generator=generator)
    objective = Vicreg(invariance=25.0, variance=20.0, covariance=2.0)
    targets = Targets(labels=torch.full((9,), -1), index=torch.arange(9))

    found = objective((Outputs(projected=first), Outputs(projected=second)), None, targets)

    rows = first.tolist(), second.tolist()
    squares = [(a - b) ** 2 for x, y in zip(*rows, strict=True) for a, b in zip(x, y, strict=True)]
    lacking = [
        sum(max(0.0, 1 - math.sqrt(each + 1e-4)) for each in variances(view)) / 4 for view in rows
    ]
    overlaps = [
        sum(
            value**2
            for i, row in enumerate(covariances(view))
            for j, value in enumerate(row)
            if i != j
        )
        / 4
        for view in rows
    ]
    assert found["invariance"].item() == pytest.approx(25 * sum(squares) / 36, abs=1e-12)
    assert found["variance"].item() == pytest.approx(20 * sum(lacking) / 2, abs=1e-12)
    assert found["covariance"].item() == pytest.approx(2 * sum(overlaps), abs=1e-12)
