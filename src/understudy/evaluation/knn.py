"""The weighted nearest-neighbour probe of features (Wu et al., CVPR 2018, arXiv:1805.01978)."""

from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from pydantic import PositiveFloat, PositiveInt
from torch import Tensor

from understudy.core.settings import Settings

MOST_SIMILARITIES = 2**24  # 64 MiB of float32 at a time, however many images there are


class NearestSettings(Settings):
    """Judges features by the labels of the nearest labelled images; nothing is trained."""

    neighbours: PositiveInt = 200  # Wu et al.
    """How many labelled images vote; all of them where there are fewer."""
    temperature: PositiveFloat = 0.1  # 0.07 in Wu et al.; 0.1 in MoCo's CIFAR-10 demo
    """How quickly a vote fades with distance; small: only the nearest count."""


class Nearest(NamedTuple):
    """The labelled images that are nearest to each query, nearest first."""

    cosines: Tensor
    """[N, M]."""
    places: Tensor
    """[N, M], positions in the bank."""

    def votes(
        self, labels: Tensor, *, num_classes: int, neighbours: int, temperature: float
    ) -> Tensor:
        """As `nearest_votes`, of the nearest `neighbours`, or of all that were looked for."""
        nearest, places = self.cosines[:, :neighbours], self.places[:, :neighbours]
        weights = ((nearest - nearest[:, :1]) / temperature).exp()
        empty = torch.zeros(len(nearest), num_classes, device=nearest.device)
        return empty.scatter_add(1, labels[places], weights)


def find_nearest(queries: Tensor, *, bank: Tensor, neighbours: int) -> Nearest:
    """The nearest bank features of each query, by the cosine.

    Args:
        queries: Features [N, D], not normalised.
        bank: Features [M, D], which must not be the queries themselves.
        neighbours: How many to look for; all where the bank has fewer.
    """
    bank = F.normalize(bank.float(), dim=1)
    chunks = torch.split(queries.float(), max(1, MOST_SIMILARITIES // len(bank)))
    found = [
        (F.normalize(chunk, dim=1) @ bank.T).topk(min(neighbours, len(bank)), dim=1)
        for chunk in chunks
    ]
    return Nearest(
        torch.cat([cosines for cosines, _ in found]), torch.cat([places for _, places in found])
    )


def nearest_votes(
    queries: Tensor,
    *,
    bank: Tensor,
    labels: Tensor,
    num_classes: int,
    neighbours: int,
    temperature: float,
) -> Tensor:
    """Each class's votes, exp(cosine / temperature) summed over the nearest bank features.

    Args:
        queries: Features [N, D], not normalised.
        bank: Features [M, D] of labelled images, which must not be the queries themselves.
        labels: [M], each in 0 .. num_classes-1.
        num_classes: K.
        neighbours: How many vote; M at most.
        temperature: Above zero.

    Returns:
        [N, K], in units of the nearest one's vote (so that no temperature overflows); the largest
        is the answer.
    """
    return find_nearest(queries, bank=bank, neighbours=neighbours).votes(
        labels, num_classes=num_classes, neighbours=neighbours, temperature=temperature
    )


def nearest_accuracy(
    queries: NDArray[Any] | Tensor,
    query_labels: NDArray[np.int64] | Tensor,
    *,
    bank: NDArray[Any] | Tensor,
    bank_labels: NDArray[np.int64] | Tensor,
    num_classes: int,
    settings: NearestSettings,
) -> float:
    """The share of queries (0-1) whose nearest neighbours vote for the right class.

    Args:
        queries: Features [N, D], not normalised.
        query_labels: [N].
        bank: Features [M, D] of labelled images, which must not be the queries themselves.
        bank_labels: [M].
        num_classes: K.
        settings: How many vote, and how.
    """
    votes = nearest_votes(
        torch.as_tensor(queries),
        bank=torch.as_tensor(bank),
        labels=torch.as_tensor(bank_labels),
        num_classes=num_classes,
        neighbours=settings.neighbours,
        temperature=settings.temperature,
    )
    return float((votes.argmax(dim=1) == torch.as_tensor(query_labels)).float().mean())
