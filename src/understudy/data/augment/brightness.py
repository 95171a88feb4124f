"""Bands made brighter or darker by a share of their own spread."""

from typing import ClassVar, Literal, NamedTuple

import torch
from pydantic import NonNegativeFloat
from torch import Tensor

from understudy.data.augment.transform import (
    Dice,
    Frame,
    Probability,
    Transform,
    altered,
    spread,
)


class Brightness(NamedTuple):
    """What is added to each image."""

    applied: Tensor
    """[B], bool."""
    delta: Tensor
    """[B], float32, in standard deviations of each channel."""
    std: tuple[float, ...]
    """[C]."""

    def apply(self, images: Tensor) -> Tensor:
        """Adds it to the chosen images."""
        step = torch.tensor(self.std, device=images.device).view(-1, 1, 1)

        def brightened(chosen: Tensor, delta: Tensor) -> Tensor:
            return (chosen + delta * step).clamp_(0, 1)

        return altered(images, self.applied, brightened, self.delta)


class BrightnessSettings(Transform):
    """Add the same number of standard deviations to every channel.

    The deviations are those of the images to learn from, each channel's own: of 16 bits of
    reflectance a tenth may be used, and a share of the whole range would drown every band.
    """

    needs_statistics: ClassVar[bool] = True
    kind: Literal["brightness"] = "brightness"
    probability: Probability = 1.0  # SimCLR-S2: whenever it is drawn
    most: NonNegativeFloat = 0.4  # SimCLR-S2: of values that are standardised
    """Largest change in either direction, in standard deviations."""

    def draw(self, dice: Dice, frame: Frame) -> Brightness:
        """How much is added to each view."""
        applied, delta = dice.roll("applied", "delta")
        return Brightness(
            applied=applied < self.probability,
            delta=spread(delta, (-self.most, self.most)),
            std=frame.known().std,
        )
