"""InfoNCE against a queue, spelled out one query at a time."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.testing import assert_close

from understudy.core.types import Outputs, Targets
from understudy.objectives.queue import Queue
from understudy.objectives.selfsup.info_nce import InfoNce, info_nce


def of_length_one(*size: int, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return F.normalize(torch.randn(size, dtype=torch.float64, generator=generator), dim=1)


def slow_info_nce(
    queries: list[list[float]],
    keys: list[list[float]],
    others: list[list[float]],
    temperature: float,
) -> float:
    def weight(first: list[float], second: list[float]) -> float:
        return math.exp(sum(a * b for a, b in zip(first, second, strict=True)) / temperature)

    losses = []
    for query, key in zip(queries, keys, strict=True):
        own = weight(query, key)
        losses.append(-math.log(own / (own + sum(weight(query, other) for other in others))))
    return sum(losses) / len(losses)


@pytest.mark.parametrize("temperature", [0.1, 0.2, 1.0])
def test_it_averages_over_the_queries(temperature: float) -> None:
    queries, keys = of_length_one(6, 5, seed=1), of_length_one(6, 5, seed=2)
    others = of_length_one(11, 5, seed=3)

    found = info_nce(queries, keys, others, temperature)

    expected = slow_info_nce(queries.tolist(), keys.tolist(), others.tolist(), temperature)
    assert found.item() == pytest.approx(expected, abs=1e-12)


def test_it_is_the_cross_entropy_of_the_own_key_at_the_first_place() -> None:
    queries, keys = of_length_one(6, 5, seed=1), of_length_one(6, 5, seed=2)
    others = of_length_one(11, 5, seed=3)
    logits = torch.stack(
        [
            torch.stack([queries[i] @ key for key in (keys[i], *others)]) / 0.1
            for i in range(len(queries))
        ]
    )

    found = info_nce(queries, keys, others, 0.1)

    assert_close(found, F.cross_entropy(logits, torch.zeros(6, dtype=torch.int64)))


@pytest.mark.parametrize("length", [1, 16, 4096])
def test_collapsed_features_cost_the_log_of_the_number_of_candidates(length: int) -> None:
    same = F.normalize(torch.ones(4, 5, dtype=torch.float64), dim=1)

    found = info_nce(same, same, same[:1].expand(length, 5), 0.1)

    assert found.item() == pytest.approx(math.log(length + 1), abs=1e-9)


def test_the_objective_is_the_mean_of_both_directions_against_the_queue_before_the_step() -> None:
    torch.manual_seed(0)
    objective = InfoNce(queue=Queue(length=16, width=5), temperature=0.1).double()
    q1, q2, k1, k2 = (3.0 * of_length_one(4, 5, seed=seed) for seed in range(4))
    before = objective.queue.features.tolist()
    views = (Outputs(projected=q1), Outputs(projected=q2))
    targets = (Outputs(projected=k1), Outputs(projected=k2))
    images = Targets(labels=torch.full((4,), -1), index=torch.arange(4))

    found = objective(views, targets, images)["contrast"]

    parts = [
        slow_info_nce((mine / 3).tolist(), (key / 3).tolist(), before, 0.1)
        for mine, key in ((q1, k2), (q2, k1))
    ]
    assert found.item() == pytest.approx(sum(parts) / 2, abs=1e-12)
