"""The honest denominator: what one writes in an afternoon, with a DataLoader, PIL and no tricks."""

import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from understudy.core.types import Tap
from understudy.models.network import Network

Change = Any
"""A PIL image to a tensor [C, H, W]; torchvision's transforms are untyped."""
LOGITS, PROJECTED = frozenset({Tap.LOGITS}), frozenset({Tap.PROJECTED})


class Pictures(Dataset[Any]):
    """Images decoded to PIL, each transformed alone, once for each view."""

    def __init__(self, pixels: NDArray[np.uint8], change: Change, views: int) -> None:
        self.pictures = [Image.fromarray(one.transpose(1, 2, 0)) for one in pixels]
        self.change, self.views = change, views

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, place: int) -> tuple[Tensor, ...]:
        return tuple(self.change(self.pictures[place]) for _ in range(self.views))


def supervised_views() -> Change:
    """Crop and flip."""
    return transforms.Compose(
        [
            transforms.RandomResizedCrop(32, scale=(0.5, 1.0)),
            transforms.RandomHorizontalFlip(),
            transforms.ToTensor(),
        ]
    )


def simclr_views() -> Change:
    """SimCLR's set for small images."""
    return transforms.Compose(
        [
            transforms.RandomResizedCrop(32, scale=(0.2, 1.0)),
            transforms.RandomHorizontalFlip(),
            transforms.RandomApply([transforms.ColorJitter(0.4, 0.4, 0.4, 0.1)], p=0.8),
            transforms.RandomGrayscale(0.2),
            transforms.ToTensor(),
        ]
    )


def steps(
    pixels: NDArray[np.uint8],
    change: Change,
    loss_of: Callable[[Sequence[Tensor]], Tensor],
    network: Network,
    *,
    views: int,
    batch: int,
    workers: int,
) -> Iterator[float]:
    """Seconds of each step of an endless training."""
    loader = DataLoader(
        Pictures(pixels, change, views),
        batch_size=batch,
        shuffle=True,
        drop_last=True,
        num_workers=workers,
        persistent_workers=workers > 0,
    )
    optimizer = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9)
    endless = itertools.chain.from_iterable(itertools.repeat(loader))
    while True:
        began = time.perf_counter()
        shown = next(endless)
        optimizer.zero_grad()
        loss_of(shown).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        yield time.perf_counter() - began


def cross_entropy(network: Network) -> Callable[[Sequence[Tensor]], Tensor]:
    """A supervised loss; which labels does not matter for the time."""

    def loss_of(shown: Sequence[Tensor]) -> Tensor:
        logits = network(shown[0], LOGITS).logits
        assert logits is not None
        return F.cross_entropy(logits, torch.zeros(len(logits), dtype=torch.int64))

    return loss_of


def soft_labels(network: Network, teacher: nn.Module) -> Callable[[Sequence[Tensor]], Tensor]:
    """Hinton's loss with the teacher in the loop."""

    def loss_of(shown: Sequence[Tensor]) -> Tensor:
        with torch.no_grad():
            taught = teacher(shown[0], LOGITS).logits
        logits = network(shown[0], LOGITS).logits
        return F.kl_div(
            F.log_softmax(logits / 2, dim=1), F.softmax(taught / 2, dim=1), reduction="batchmean"
        )

    return loss_of


def nt_xent(network: Network) -> Callable[[Sequence[Tensor]], Tensor]:
    """SimCLR's loss."""

    def loss_of(shown: Sequence[Tensor]) -> Tensor:
        projected = F.normalize(network(torch.cat(list(shown)), PROJECTED).projected, dim=1)
        count = len(projected) // 2
        similarity = projected @ projected.T / 0.5
        similarity.fill_diagonal_(float("-inf"))
        partner = torch.cat([torch.arange(count, 2 * count), torch.arange(count)])
        return F.cross_entropy(similarity, partner)

    return loss_of
