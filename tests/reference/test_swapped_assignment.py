"""SwAV's loss, after the pseudo-code in the paper's appendix: probabilities, not logarithms."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from understudy.core.types import Outputs, Targets
from understudy.objectives.queue import Queue
from understudy.objectives.selfsup.swapped_assignment import SwappedAssignment, balanced_assignments

Matrix = NDArray[np.float64]


def sinkhorn(scores: Matrix, *, epsilon: float, iterations: int) -> Matrix:
    transport = np.exp(scores / epsilon).T
    transport /= transport.sum()
    prototypes, images = transport.shape
    for _ in range(iterations):
        transport *= (1 / prototypes / transport.sum(axis=1))[:, None]
        transport *= (1 / images / transport.sum(axis=0))[None, :]
    shares: Matrix = transport / transport.sum(axis=0, keepdims=True)
    return shares.T


def of_length_one(values: Matrix) -> Matrix:
    lengths = np.linalg.norm(values, axis=1, keepdims=True)
    return np.asarray(values / lengths, dtype=np.float64)


def cross_entropy(wanted: Matrix, scores: Matrix, temperature: float) -> float:
    weights = np.exp(scores / temperature)
    told = np.log(weights / weights.sum(axis=1, keepdims=True))
    return float(-(wanted * told).sum(axis=1).mean())


def numbers(*size: int, seed: int) -> Matrix:
    return np.random.default_rng(seed).standard_normal(size)


def built(prototypes: Matrix, *, queues: list[Queue]) -> SwappedAssignment:
    return SwappedAssignment(
        prototypes=torch.from_numpy(prototypes),
        queues=queues,
        global_views=2,
        temperature=0.1,
        epsilon=0.05,
        iterations=3,
        frozen=0.0,
        queue_after=0.0,
    ).double()


@pytest.mark.parametrize("iterations", [1, 3, 10])
@pytest.mark.parametrize("epsilon", [0.05, 0.5])
def test_the_assignments_are_those_of_the_pseudo_code(epsilon: float, iterations: int) -> None:
    scores = of_length_one(numbers(7, 5, seed=1)) @ of_length_one(numbers(4, 5, seed=2)).T

    found = balanced_assignments(
        torch.from_numpy(scores), epsilon=epsilon, iterations=iterations
    ).numpy()

    np.testing.assert_allclose(found, sinkhorn(scores, epsilon=epsilon, iterations=iterations))


@pytest.mark.parametrize("waiting", [0, 9])
def test_each_view_predicts_the_assignments_of_the_first_two(waiting: int) -> None:
    """Two whole views and a small crop; with and without features of earlier batches."""
    prototypes, views = numbers(6, 5, seed=0), [numbers(8, 5, seed=seed) for seed in (1, 2, 3)]
    queues = [Queue(length=waiting, width=5) for _ in range(2)] if waiting else []
    objective = built(prototypes, queues=queues).eval()
    earlier = [queue.features.numpy() for queue in queues] or [np.empty((0, 5))] * 2
    images = Targets(labels=torch.full((8,), -1), index=torch.arange(8))

    found = objective(
        tuple(Outputs(projected=torch.from_numpy(view)) for view in views), None, images
    )["cross_entropy"]

    directions = of_length_one(prototypes)
    scores = [of_length_one(view) @ directions.T for view in views]
    losses = []
    for assigned in (0, 1):
        together = np.concatenate([earlier[assigned] @ directions.T, scores[assigned]])
        wanted = sinkhorn(together, epsilon=0.05, iterations=3)[-8:]
        losses += [
            cross_entropy(wanted, scores[other], 0.1) for other in range(3) if other != assigned
        ]
    assert found.item() == pytest.approx(sum(losses) / 4, abs=1e-12)
