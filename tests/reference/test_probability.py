"""Probabilistic knowledge transfer, spelled out one image and one neighbour at a time."""

import math

import pytest
import torch

from understudy.objectives.distill.probability import neighbourhood_divergence

Features = list[list[float]]


def slow_neighbourhood(features: Features, image: int) -> dict[int, float]:
    def affinity(other: int) -> float:
        product = sum(a * b for a, b in zip(features[image], features[other], strict=True))
        lengths = math.hypot(*features[image]) * math.hypot(*features[other])
        return (product / lengths + 1) / 2

    affinities = {other: affinity(other) for other in range(len(features)) if other != image}
    return {other: value / sum(affinities.values()) for other, value in affinities.items()}


def test_it_averages_the_divergence_of_each_images_neighbours() -> None:
    generator = torch.Generator().manual_seed(6)
    student = torch.randn(6, 4, dtype=torch.float64, generator=generator)
    teacher = torch.randn(6, 7, dtype=torch.float64, generator=generator)

    found = neighbourhood_divergence(student, teacher)

    divergences = []
    for image in range(6):
        mine = slow_neighbourhood(student.tolist(), image)
        other = slow_neighbourhood(teacher.tolist(), image)
        divergences.append(sum(p * math.log(p / mine[j]) for j, p in other.items()))
    assert found.item() == pytest.approx(sum(divergences) / 6, abs=1e-12)


def test_two_images_have_but_one_neighbour_each() -> None:
    student, teacher = torch.randn((2, 2, 4), dtype=torch.float64)

    assert neighbourhood_divergence(student, teacher).item() == pytest.approx(0, abs=1e-12)
