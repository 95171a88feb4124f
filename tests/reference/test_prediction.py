"""The loss of BYOL and SimSiam, spelled out one image at a time."""

import math

import pytest
import torch
from torch import nn

from understudy.core.types import Outputs, Targets
from understudy.objectives.selfsup.prediction import Prediction


def cosine(first: list[float], second: list[float]) -> float:
    product = sum(a * b for a, b in zip(first, second, strict=True))
    return product / (math.hypot(*first) * math.hypot(*second))


def test_each_view_is_compared_with_the_targets_of_the_other() -> None:
    generator = torch.Generator().manual_seed(3)
    (p1, p2, z1, z2) = torch.randn((4, 5, 3), dtype=torch.float64, generator=generator)
    turned = nn.Linear(3, 3, bias=False).double()
    student, target = (
        (Outputs(projected=p1), Outputs(projected=p2)),
        (
            Outputs(projected=z1),
            Outputs(projected=z2),
        ),
    )
    targets = Targets(labels=torch.full((5,), -1), index=torch.arange(5))

    found = Prediction(predictor=turned)(student, target, targets)["negative_cosine"]

    q1, q2 = turned(p1).tolist(), turned(p2).tolist()
    cosines = [
        *(cosine(mine, other) for mine, other in zip(q1, z2.tolist(), strict=True)),
        *(cosine(mine, other) for mine, other in zip(q2, z1.tolist(), strict=True)),
    ]
    simsiam = -sum(cosines) / 10
    byol = sum(2 - 2 * each for each in cosines) / 5  # the authors' sum over both directions
    assert found.item() == pytest.approx(simsiam, abs=1e-12)
    assert 4 + 4 * found.item() == pytest.approx(byol, abs=1e-12)
