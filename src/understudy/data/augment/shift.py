"""The image moved a little; what leaves on one side comes back on the other."""

from typing import Annotated, Literal, NamedTuple

import torch
from pydantic import Field
from torch import Tensor

from understudy.data.augment.transform import (
    Dice,
    Frame,
    Probability,
    Transform,
    altered,
    whole_numbers,
)


class Shift(NamedTuple):
    """How far each image is moved."""

    applied: Tensor
    """[B], bool."""
    down: Tensor
    """[B], int64, in pixels; so is `right`."""
    right: Tensor

    def apply(self, images: Tensor) -> Tensor:
        """Moves the chosen images."""
        return altered(images, self.applied, rolled, self.down, self.right)


def rolled(images: Tensor, down: Tensor, right: Tensor) -> Tensor:
    """Moves each image as `torch.roll` moves one.

    Args:
        images: [B, C, H, W].
        down: [B, 1, 1, 1], whole numbers of pixels; so is `right`.
        right: Likewise.
    """
    for axis, steps in ((2, down), (3, right)):
        length = images.shape[axis]
        places = torch.arange(length, device=images.device) - steps.view(-1, 1).long()
        shape = [len(images), 1, 1, 1]
        shape[axis] = length
        images = images.gather(axis, places.remainder(length).view(shape).expand_as(images))
    return images


class ShiftSettings(Transform):
    """Move the image by whole pixels; what leaves on one side comes back on the other."""

    kind: Literal["shift"] = "shift"
    probability: Probability = 1.0  # SimCLR-S2: whenever it is drawn
    most: Annotated[float, Field(ge=0, lt=1)] = 0.1  # SimCLR-S2: up to a tenth
    """Largest distance in either direction, as a share of the side."""

    def draw(self, dice: Dice, frame: Frame) -> Shift:
        """How far, in steps of a pixel."""
        applied, down, right = dice.roll("applied", "down", "right")
        spans = [int(self.most * length) for length in frame.source]
        return Shift(
            applied=applied < self.probability,
            down=whole_numbers(down, 2 * spans[0] + 1) - spans[0],
            right=whole_numbers(right, 2 * spans[1] + 1) - spans[1],
        )
