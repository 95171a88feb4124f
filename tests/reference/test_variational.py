"""The surprise at the teacher's features, spelled out one value at a time and as PyTorch has it."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.testing import assert_close

from understudy.objectives.distill.variational import gaussian_surprise


def toy() -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(7)
    guess, features = torch.randn((2, 3, 4, 2, 5), dtype=torch.float64, generator=generator)
    variance = torch.rand(4, dtype=torch.float64, generator=generator) + 0.1
    return guess, features, variance


def test_it_is_the_negative_log_density_without_its_constant() -> None:
    guess, features, variance = toy()

    found = gaussian_surprise(guess, features, variance)

    surprises = []
    for b in range(3):
        for c in range(4):
            for y in range(2):
                for x in range(5):
                    spread = variance[c].item()
                    error = features[b, c, y, x].item() - guess[b, c, y, x].item()
                    density = math.exp(-(error**2) / (2 * spread)) / math.sqrt(2 * math.pi * spread)
                    surprises.append(-math.log(density) - math.log(2 * math.pi) / 2)
    assert found.item() == pytest.approx(sum(surprises) / len(surprises), abs=1e-12)


def test_it_agrees_with_pytorch() -> None:
    guess, features, variance = toy()

    spread = variance[None, :, None, None].expand_as(guess)
    assert_close(
        gaussian_surprise(guess, features, variance), F.gaussian_nll_loss(guess, features, spread)
    )
