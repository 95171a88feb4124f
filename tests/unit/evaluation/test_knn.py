import numpy as np
import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from understudy.evaluation import knn
from understudy.evaluation.knn import (
    NearestSettings,
    find_nearest,
    nearest_accuracy,
    nearest_votes,
)


def literal_votes(
    queries: Tensor, bank: Tensor, labels: Tensor, classes: int, neighbours: int, temperature: float
) -> Tensor:
    """The paper's sum, image by image, relative to the nearest one's vote."""
    votes = torch.zeros(len(queries), classes)
    for row, query in enumerate(queries):
        cosines = [
            float(query @ other / (query.norm() * other.norm()).clamp(min=1e-12)) for other in bank
        ]
        nearest = sorted(range(len(bank)), key=lambda place: -cosines[place])[:neighbours]
        for place in nearest:
            weight = np.exp((cosines[place] - cosines[nearest[0]]) / temperature)
            votes[row, labels[place]] += weight
    return votes


@pytest.mark.parametrize("neighbours", [1, 5, 30, 100])
@pytest.mark.parametrize("temperature", [0.01, 0.1, 1.0])
def test_votes_are_the_literal_sum(
    neighbours: int, temperature: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    random = torch.Generator().manual_seed(0)
    queries, bank = torch.randn(9, 6, generator=random), torch.randn(30, 6, generator=random)
    labels = torch.randint(0, 4, (30,), generator=random)
    monkeypatch.setattr(knn, "MOST_SIMILARITIES", 2 * len(bank))  # two queries a chunk

    found = nearest_votes(
        queries,
        bank=bank,
        labels=labels,
        num_classes=4,
        neighbours=neighbours,
        temperature=temperature,
    )

    expected = literal_votes(queries, bank, labels, 4, neighbours, temperature)
    assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_no_temperature_overflows() -> None:
    votes = nearest_votes(
        torch.ones(1, 2),
        bank=torch.ones(3, 2),
        labels=torch.tensor([0, 1, 1]),
        num_classes=2,
        neighbours=3,
        temperature=1e-4,
    )

    assert_close(votes, torch.tensor([[1.0, 2.0]]))


def test_separable_features_are_told_apart_and_their_length_does_not_matter() -> None:
    random = np.random.default_rng(0)
    labels = random.integers(0, 3, 300)
    directions = np.eye(3, 8)[labels] + 0.1 * random.normal(size=(300, 8))
    features = (directions * random.uniform(0.1, 50, (300, 1))).astype(np.float32)

    found = nearest_accuracy(
        features[:100],
        labels[:100],
        bank=features[100:],
        bank_labels=labels[100:],
        num_classes=3,
        settings=NearestSettings(neighbours=20),
    )

    assert found == 1


def test_features_that_say_nothing_are_near_chance() -> None:
    random = np.random.default_rng(0)
    features, labels = random.normal(size=(2000, 8)), random.integers(0, 4, 2000)

    found = nearest_accuracy(
        features[:1000],
        labels[:1000],
        bank=features[1000:],
        bank_labels=labels[1000:],
        num_classes=4,
        settings=NearestSettings(),
    )

    assert 0.18 < found < 0.32


def test_one_search_serves_every_number_of_neighbours() -> None:
    random = torch.Generator().manual_seed(0)
    queries, bank = torch.randn(9, 6, generator=random), torch.randn(30, 6, generator=random)
    labels = torch.randint(0, 4, (30,), generator=random)

    found = find_nearest(queries, bank=bank, neighbours=200)

    for neighbours in (1, 5, 20, 200):
        votes = found.votes(labels, num_classes=4, neighbours=neighbours, temperature=0.1)
        assert_close(votes, literal_votes(queries, bank, labels, 4, neighbours, 0.1))
