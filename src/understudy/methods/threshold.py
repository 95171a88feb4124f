"""How likely an answer must be before another view of the image learns it."""

from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor, nn

from understudy.core.settings import Settings
from understudy.objectives.kept import kept
from understudy.objectives.together import gathered


class FixedThreshold(nn.Module):
    """The same for every class and from the first step to the last, as in FixMatch.

    Args:
        least: The least probability.
    """

    def __init__(self, least: float) -> None:
        super().__init__()
        self.least = least

    def forward(self, probabilities: Tensor) -> Tensor:
        """How likely each answer must be.

        Args:
            probabilities: Of weak views, [B, K].

        Returns:
            [B].
        """
        return probabilities.new_full(probabilities.shape[:1], self.least)


class AdaptiveThreshold(nn.Module):
    """As sure as answers are by now, and less where a class is seldom named.

    The self-adaptive threshold of FreeMatch (Wang et al., ICLR 2023, arXiv:2205.07246). Departs
    from the paper: its second part, a term that asks for as many answers of each class, is not
    there.

    Args:
        classes: K.
        momentum: What stays at a step of what is known.
    """

    sureness: Tensor
    """Scalar: the mean probability of the likeliest class, a moving average from 1 / K."""
    frequency: Tensor
    """[K]: the mean probability of each class, likewise."""

    def __init__(self, classes: int, *, momentum: float) -> None:
        super().__init__()
        self.momentum = momentum
        self.register_buffer("sureness", torch.tensor(1 / classes))
        self.register_buffer("frequency", torch.full((classes,), 1 / classes))

    @torch.no_grad()
    def forward(self, probabilities: Tensor) -> Tensor:
        """Learns from the answers, and says how likely each must be.

        Args:
            probabilities: Of weak views, [B, K].

        Returns:
            [B].
        """
        everywhere = gathered(probabilities)
        self.sureness.lerp_(everywhere.amax(dim=1).mean(), 1 - self.momentum)
        self.frequency.lerp_(everywhere.mean(dim=0), 1 - self.momentum)
        of_each = self.sureness * self.frequency / self.frequency.max()
        known: Tensor = kept(of_each)
        return known[probabilities.argmax(dim=1)]


class AdaptiveThresholdSettings(Settings):
    """Settings of `AdaptiveThreshold`."""

    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.999  # the paper's, of a million steps
    """What stays at a step of what is known of answers; 0.99 knows the last 100 steps."""


Threshold = Annotated[float, Field(ge=0, le=1)] | AdaptiveThresholdSettings
"""One number, or FreeMatch's: as sure as answers are by now."""


def threshold_of(settings: Threshold, classes: int) -> FixedThreshold | AdaptiveThreshold:
    """What is asked for, for so many classes."""
    if isinstance(settings, AdaptiveThresholdSettings):
        return AdaptiveThreshold(classes, momentum=settings.momentum)
    return FixedThreshold(settings)
