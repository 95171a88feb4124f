"""DINO's loss and its centre, after algorithm 1 of the paper, spelled out one number at a time."""

import math

import pytest
import torch
from torch import Tensor

from understudy.core.types import Outputs, Targets
from understudy.objectives.selfsup.self_distillation import SelfDistillation

Rows = list[list[float]]
IMAGES = Targets(labels=torch.full((4,), -1), index=torch.arange(4))


def softmax(row: list[float]) -> list[float]:
    weights = [math.exp(value - max(row)) for value in row]
    return [weight / sum(weights) for weight in weights]


def slow_loss(target: Rows, student: Rows, centre: list[float]) -> float:
    losses = []
    for taught, learned in zip(target, student, strict=True):
        wanted = softmax([(value - c) / 0.04 for value, c in zip(taught, centre, strict=True)])
        told = softmax([value / 0.1 for value in learned])
        losses.append(-sum(p * math.log(q) for p, q in zip(wanted, told, strict=True)))
    return sum(losses) / len(losses)


def moved(centre: list[float], rows: Rows) -> list[float]:
    means = [sum(column) / len(rows) for column in zip(*rows, strict=True)]
    return [0.9 * c + 0.1 * mean for c, mean in zip(centre, means, strict=True)]


def scores(*, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.rand((4, 3), dtype=torch.float64, generator=generator) - 0.5


def test_three_steps_with_two_whole_views_and_a_small_crop() -> None:
    objective = SelfDistillation(
        prototypes=3,
        global_views=2,
        student_temperature=0.1,
        teacher_temperature=0.04,
        centre_momentum=0.9,
    ).double()
    centre = [0.0, 0.0, 0.0]

    for step in range(3):
        student = [scores(seed=10 * step + view) for view in range(3)]
        target = [scores(seed=10 * step + 5 + view) for view in range(2)]
        found = objective(
            tuple(Outputs(projected=each) for each in student),
            tuple(Outputs(projected=each) for each in target),
            IMAGES,
        )["cross_entropy"]

        losses = [
            slow_loss(target[other].tolist(), student[mine].tolist(), centre)
            for other in range(2)
            for mine in range(3)
            if mine != other
        ]
        centre = moved(centre, torch.cat(target).tolist())
        assert found.item() == pytest.approx(sum(losses) / 4, abs=1e-7)  # the temperature's bits
        assert objective.centre.tolist() == pytest.approx(centre, abs=1e-9)
