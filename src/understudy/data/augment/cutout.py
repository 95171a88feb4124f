"""A gray square in place of a part of the image (DeVries and Taylor 2017, arXiv:1708.04552)."""

from typing import Annotated, Literal, NamedTuple

import torch
from pydantic import Field
from torch import Tensor

from understudy.data.augment.transform import (
    Dice,
    Frame,
    Level,
    Probability,
    Transform,
    altered,
    whole_numbers,
)


class Cutout(NamedTuple):
    """Where each image loses its square."""

    applied: Tensor
    """[B], bool."""
    top: Tensor
    """[B], int64, in pixels and below zero where the square begins outside; so is `left`."""
    left: Tensor
    side: int
    """Of the square, in pixels."""
    fill: float

    def apply(self, images: Tensor) -> Tensor:
        """Fills the squares of the chosen images."""

        def filled(chosen: Tensor, top: Tensor, left: Tensor) -> Tensor:
            return squared(chosen, top, left, side=self.side, fill=self.fill)

        return altered(images, self.applied, filled, self.top, self.left)


def squared(images: Tensor, top: Tensor, left: Tensor, *, side: int, fill: float) -> Tensor:
    """Gives every pixel of a square one value.

    Args:
        images: [B, C, H, W].
        top: [B, 1, 1, 1], first row of the square; it may reach beyond the image.
        left: [B, 1, 1, 1], first column.
        side: Of the square, in pixels.
        fill: What stands there.
    """
    height, width = images.shape[2:]
    down = torch.arange(height, device=images.device).view(1, 1, -1, 1) - top
    right = torch.arange(width, device=images.device).view(1, 1, 1, -1) - left
    inside = (down >= 0) & (down < side) & (right >= 0) & (right < side)
    return images.masked_fill(inside, fill)


class CutoutSettings(Transform):
    """Cover a square of each image, around any of its pixels, so that others must tell."""

    kind: Literal["cutout"] = "cutout"
    probability: Probability = 1.0  # the paper's: every image
    side: Annotated[float, Field(gt=0, le=1)] = 0.5  # the paper's 16 of CIFAR-10's 32 pixels
    """Of the square, as a share of the image's shorter side. What lies outside covers nothing."""
    fill: Level = 0.5  # gray, as in FixMatch's code; the paper's is the mean of the images
    """Every channel's value there, in [0, 1]."""

    def draw(self, dice: Dice, frame: Frame) -> Cutout:
        """Around which pixel of each view."""
        applied, down, right = dice.roll("applied", "down", "right")
        side = max(1, round(self.side * min(frame.source)))
        return Cutout(
            applied=applied < self.probability,
            top=whole_numbers(down, frame.source.height) - side // 2,
            left=whole_numbers(right, frame.source.width) - side // 2,
            side=side,
            fill=self.fill,
        )
