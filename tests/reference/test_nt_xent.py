"""NT-Xent, spelled out one pair of views at a time."""

import math

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from understudy.objectives.selfsup.nt_xent import nt_xent


def cosine(first: list[float], second: list[float]) -> float:
    product = sum(a * b for a, b in zip(first, second, strict=True))
    return product / (math.hypot(*first) * math.hypot(*second))


def slow_nt_xent(first: list[list[float]], second: list[list[float]], temperature: float) -> float:
    views = first + second
    losses = []
    for anchor in range(len(views)):
        positive = (anchor + len(first)) % len(views)
        weights = {
            other: math.exp(cosine(views[anchor], views[other]) / temperature)
            for other in range(len(views))
            if other != anchor
        }
        losses.append(-math.log(weights[positive] / sum(weights.values())))
    return sum(losses) / len(losses)


def views(batch: int, width: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(5)
    first, second = torch.randn((2, batch, width), dtype=torch.float64, generator=generator)
    return first, second


@pytest.mark.parametrize("temperature", [0.1, 0.5, 2.0])
def test_it_averages_over_all_views_of_the_batch(temperature: float) -> None:
    first, second = views(batch=7, width=5)

    found = nt_xent(first, second, temperature)

    expected = slow_nt_xent(first.tolist(), second.tolist(), temperature)
    assert found.item() == pytest.approx(expected, abs=1e-12)


def test_exchanging_the_views_changes_nothing() -> None:
    first, second = views(batch=7, width=5)

    assert_close(nt_xent(first, second, 0.5), nt_xent(second, first, 0.5))


def test_the_length_of_the_features_changes_nothing() -> None:
    first, second = views(batch=7, width=5)
    lengths = torch.linspace(0.1, 30, 7, dtype=torch.float64)[:, None]

    assert_close(nt_xent(lengths * first, second, 0.5), nt_xent(first, second, 0.5))


@pytest.mark.parametrize("batch", [1, 2, 64])
def test_collapsed_features_cost_the_log_of_the_number_of_candidates(batch: int) -> None:
    same = torch.ones(batch, 5, dtype=torch.float64)

    found = nt_xent(same, same, 0.5)

    assert found.item() == pytest.approx(math.log(2 * batch - 1), abs=1e-12)


def test_perfect_agreement_on_orthogonal_images_costs_what_the_temperature_leaves() -> None:
    apart = torch.eye(8, dtype=torch.float64)

    found = nt_xent(apart, apart, 0.5)

    assert found.item() == pytest.approx(math.log(1 + 14 * math.exp(-2)), abs=1e-12)
