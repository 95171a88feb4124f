"""The contrast against noise, spelled out one image and one drawn pair at a time."""

import math

import pytest
import torch

from understudy.objectives.distill.contrastive import log_mean_exponential, noise_contrast


def test_it_is_the_papers_loss_with_the_partition_of_the_authors_code() -> None:
    """Equation 18: h = P / (P + N/M), with P = exp(similarity / T) / Z."""
    generator = torch.Generator().manual_seed(11)
    images, drawn, cardinality = 5, 7, 1000
    positives = 3 * torch.randn(images, dtype=torch.float64, generator=generator)
    negatives = 3 * torch.randn(images, drawn, dtype=torch.float64, generator=generator)
    counted = torch.rand(images, drawn, generator=generator) > 0.3
    pairs = torch.cat([positives[:, None], negatives], dim=1)
    every = torch.ones(images, drawn + 1, dtype=torch.bool)

    found = noise_contrast(positives, negatives, counted, log_mean_exponential(pairs, every))

    exponentials = [math.exp(value) for row in pairs.tolist() for value in row]
    partition = cardinality * sum(exponentials) / len(exponentials)

    def probability_of_true(similarity: float) -> float:
        share = math.exp(similarity) / partition
        return share / (share + drawn / cardinality)

    losses = []
    for image in range(images):
        loss = -math.log(probability_of_true(positives[image].item()))
        for other in range(drawn):
            if counted[image, other]:
                loss -= math.log(1 - probability_of_true(negatives[image, other].item()))
        losses.append(loss)
    assert found.item() == pytest.approx(sum(losses) / images, abs=1e-10)


def test_what_does_not_count_is_not_in_the_partition() -> None:
    values = torch.tensor([[0.0, 1.0, 99.0], [2.0, 99.0, 99.0]], dtype=torch.float64)

    found = log_mean_exponential(values, values < 99)

    expected = math.log((1 + math.e + math.e**2) / 3)
    assert found.item() == pytest.approx(expected, abs=1e-12)


def test_where_all_pairs_look_alike_the_odds_are_one_to_all_drawn() -> None:
    """P = 1/M for every pair, so h = 1 / (1 + N)."""
    alike, drawn = torch.zeros(4, dtype=torch.float64), 6
    others = torch.zeros(4, drawn, dtype=torch.float64)

    found = noise_contrast(alike, others, torch.ones(4, drawn), torch.zeros(()))

    expected = math.log(1 + drawn) + drawn * math.log((1 + drawn) / drawn)
    assert found.item() == pytest.approx(expected, abs=1e-12)
