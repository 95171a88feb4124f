"""Losses that ask for labels, where some images have none and mixed ones have two."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from understudy.core.types import Targets
from understudy.objectives.together import weighted_mean

UNLABELED = -1
LEAST_SHARE = 1e-6  # below any share of an image that mixing gives; divides a batch without labels

Labels = Sequence[tuple[Tensor, Tensor]]
"""Class indices [B], -1 where there is none, and the share [B] of each image that they speak for.
One pair; two for mixed images."""


def with_shares(targets: Targets) -> Labels:
    """The labels of a batch, with the share of each image that they speak for."""
    if targets.mix is None:
        return [(targets.labels, torch.ones_like(targets.labels))]
    partner, share = targets.mix
    return [(targets.labels, share), (targets.labels[partner], 1 - share)]


def labelled_mean(losses: Callable[[Tensor], Tensor], labels: Labels) -> Tensor:
    """The mean of a loss over what is labelled.

    Args:
        losses: From class indices [B] to [B] or [P, B]. Where there is no label it is asked for
            that of class 0, and its answer, if finite, counts nothing: so no shape depends on
            the data.
        labels: With their shares.

    Returns:
        The sum of share x loss over all labels, divided by the sum of their shares, scalar or [P]:
        over unmixed images the mean over the labelled ones. Exactly zero, with zero gradient, where
        nothing is labelled. Where several processes train together, all their labels count.
    """
    values = [losses(indices.clamp(min=0)) for indices, _ in labels]
    shares = [share * (indices != UNLABELED) for indices, share in labels]
    return weighted_mean(torch.cat(values, dim=-1), torch.cat(shares), least=LEAST_SHARE)
