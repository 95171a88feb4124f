"""Several networks that answer as one: the mean of their probabilities, or of their logits."""

from collections.abc import Sequence
from typing import Annotated, Literal

import torch
import torch.nn.functional as F
from pydantic import Field, PositiveInt
from torch import Tensor, nn

from understudy.core.depth import Depth
from understudy.core.errors import UsageError
from understudy.core.numbers import Numbers
from understudy.core.settings import Settings
from understudy.core.types import Outputs, Shape, Tap
from understudy.models.network import Network, NetworkSettings

Mean = Literal["probabilities", "logits"]


def mean_of_probabilities(logits: Tensor, weights: Tensor) -> Tensor:
    """The logarithm of the mean probability of each class.

    A softmax of it is that mean: it is linear in what every member says, so the divergence from
    the mean is the mean divergence from the members, up to a constant (Lakshminarayanan et al.,
    NeurIPS 2017, arXiv:1612.01474, have the same mean).

    Args:
        logits: [M, B, K], of every member.
        weights: [M], above zero, of sum 1.

    Returns:
        [B, K]; computed without leaving the logarithm, so that no class becomes impossible.
    """
    spoken = F.log_softmax(logits, dim=-1) + weights.log()[:, None, None]
    return spoken.logsumexp(dim=0)


def mean_of_logits(logits: Tensor, weights: Tensor) -> Tensor:
    """The mean logit of each class: the geometric mean of the probabilities.

    Args:
        logits: [M, B, K], of every member.
        weights: [M], above zero, of sum 1.

    Returns:
        [B, K].
    """
    return (logits * weights[:, None, None]).sum(dim=0)


MEANS = {"probabilities": mean_of_probabilities, "logits": mean_of_logits}


class Ensemble(nn.Module):
    """Classifiers of the same classes, asked together; gives logits and nothing else.

    A student that softens the answers of a mean of probabilities softens the mean, and not each
    member's answer before the mean; both are the same at temperature 1.

    Args:
        members: Each normalises for itself.
        sizes: The side of the square that each is made for; images of another are resized.
        weights: One for each, above zero; divided by their sum.
        mean: Of what.
    """

    weights: Tensor

    def __init__(
        self,
        members: Sequence[Network],
        *,
        sizes: Sequence[int],
        weights: Sequence[float],
        mean: Mean,
    ) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        self.sizes, self.mean = tuple(sizes), mean
        total = sum(weights)
        self.register_buffer("weights", torch.tensor([weight / total for weight in weights]))
        self.shape = Shape(pooled=0, stages=(), num_classes=members[0].shape.num_classes)

    def forward(self, images: Tensor, taps: frozenset[Tap]) -> Outputs:
        """Asks every member.

        Args:
            images: [B, C, H, W] in [0, 1].
            taps: What to compute: logits; the features of several networks have no mean.

        Raises:
            UsageError: Something else is asked for.
        """
        if taps - {Tap.LOGITS}:
            raise UsageError(
                "An ensemble gives logits alone: the features of its members are of different "
                "kinds. Ask one of its members for features."
            )
        if not taps:
            return Outputs()
        answers = [
            member(at_size(images, size), taps).logits.float()
            for member, size in zip(self.members, self.sizes, strict=True)
        ]
        return Outputs(logits=MEANS[self.mean](torch.stack(answers), self.weights))


def at_size(images: Tensor, size: int) -> Tensor:
    """Square images as a network of this size sees them: antialiased, or as they are.

    Args:
        images: [B, C, H, W] in [0, 1].
        size: Height and width wanted.
    """
    if images.shape[-2:] == (size, size):
        return images
    return F.interpolate(images, (size, size), mode="bilinear", antialias=True).clamp(0, 1)


class EnsembleNetworkSettings(Settings):
    """All that is needed to build an ensemble again and load its members' weights into it."""

    members: Annotated[tuple[NetworkSettings, ...], Field(min_length=2)]
    """Classifiers, which have the same classes in the same order."""
    mean: Mean
    weights: tuple[float, ...]
    size: PositiveInt
    """Height and width of the images that it is given; the largest of its members'."""

    @property
    def classes(self) -> tuple[str, ...] | None:
        """Names in the order of the logits."""
        return self.members[0].classes

    @property
    def channels(self) -> int:
        """Of the images."""
        return self.members[0].channels

    @property
    def bands(self) -> tuple[str, ...]:
        """What the channels are called, where they are bands."""
        return self.members[0].bands

    @property
    def depth(self) -> Depth:
        """Of the images' pixels."""
        return self.members[0].depth

    @property
    def numbers(self) -> Numbers | None:
        """What the numbers of the images' files were, of bands, as far as any member knows."""
        return next((one.numbers for one in self.members if one.numbers), None)

    def empty(self) -> Ensemble:
        """The ensemble, with weights that a checkpoint is to replace."""
        return self.of([member.empty() for member in self.members])

    def of(self, members: Sequence[Network]) -> Ensemble:
        """The ensemble of these networks, which stay the caller's."""
        return Ensemble(
            members,
            sizes=[member.size for member in self.members],
            weights=self.weights,
            mean=self.mean,
        )
