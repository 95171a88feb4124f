"""Cross-entropy with labels, spelled out one image and one class at a time."""

import math

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from understudy.objectives.label import label_cross_entropy


def slow_cross_entropy(logits: list[float], label: int, smoothing: float) -> float:
    largest = max(logits)
    total = sum(math.exp(value - largest) for value in logits)
    log_p = [value - largest - math.log(total) for value in logits]
    target = [smoothing / len(logits)] * len(logits)
    target[label] += 1 - smoothing
    return -sum(share * value for share, value in zip(target, log_p, strict=True))


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.7])
def test_it_is_the_mean_over_the_labelled_images(smoothing: float) -> None:
    logits = 3 * torch.randn(6, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    labels = torch.tensor([2, -1, 0, 3, -1, 2])

    found = label_cross_entropy(logits, [(labels, torch.ones(6))], smoothing)

    known = [(row, label) for row, label in zip(logits.tolist(), labels.tolist(), strict=True)]
    losses = [slow_cross_entropy(row, label, smoothing) for row, label in known if label >= 0]
    assert len(losses) == 4
    assert found.item() == pytest.approx(sum(losses) / 4, abs=1e-12)


def test_mixed_images_count_by_the_share_of_each_label() -> None:
    logits = torch.randn(3, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    own, partner = torch.tensor([4, -1, 1]), torch.tensor([1, 4, -1])
    share = torch.tensor([0.8, 0.6, 0.5], dtype=torch.float64)

    found = label_cross_entropy(logits, [(own, share), (partner, 1 - share)], 0.0)

    rows = logits.tolist()
    weighted = [(0.8, 0, 4), (0.5, 2, 1), (0.2, 0, 1), (0.4, 1, 4)]
    total = sum(weight * slow_cross_entropy(rows[row], label, 0) for weight, row, label in weighted)
    assert found.item() == pytest.approx(total / 1.9, abs=1e-12)


def test_a_batch_without_labels_is_exactly_zero_and_so_is_its_gradient() -> None:
    logits = torch.randn(3, 5, requires_grad=True)
    nothing = torch.full((3,), -1)

    loss = label_cross_entropy(logits, [(nothing, torch.ones(3))], 0.1)
    loss.backward()  # type: ignore[no-untyped-call]

    assert loss.item() == 0
    gradient = logits.grad
    assert isinstance(gradient, Tensor)
    assert_close(gradient, torch.zeros_like(logits), rtol=0, atol=0)
