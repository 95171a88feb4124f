"""Each channel stretched about its own mean."""

from typing import Annotated, Literal, NamedTuple

import torch
from pydantic import NonNegativeFloat
from torch import Tensor

from understudy.data.augment.transform import (
    Dice,
    Frame,
    Increasing,
    Probability,
    Transform,
    altered,
    spread,
)


class Contrast(NamedTuple):
    """How much each image is stretched."""

    applied: Tensor
    """[B], bool."""
    factor: Tensor
    """[B], float32; 1 changes nothing."""

    def apply(self, images: Tensor) -> Tensor:
        """Stretches the chosen images."""
        return altered(images, self.applied, stretched, self.factor)


def stretched(images: Tensor, factor: Tensor) -> Tensor:
    """Moves all values away from their channel's mean in their image, or towards it.

    Args:
        images: [B, C, H, W] in [0, 1].
        factor: [B, 1, 1, 1].
    """
    means = images.mean(dim=(2, 3), keepdim=True)
    return torch.lerp(means.expand_as(images), images, factor).clamp_(0, 1)


class ContrastSettings(Transform):
    """Stretch each channel about its own mean, as `color_jitter` does about the grey of all."""

    kind: Literal["contrast"] = "contrast"
    probability: Probability = 1.0  # SimCLR-S2: whenever it is drawn
    factor: Annotated[tuple[NonNegativeFloat, NonNegativeFloat], Increasing] = (0.6, 1.4)
    """Range of the factor; the default is SimCLR-S2's."""

    def draw(self, dice: Dice, frame: Frame) -> Contrast:
        """How much each view is stretched."""
        del frame
        applied, factor = dice.roll("applied", "factor")
        return Contrast(applied < self.probability, spread(factor, self.factor))
