"""Mirror images of images."""

from typing import Literal

import torch

from understudy.data.augment.transform import Dice, Frame, Probability, Transform, whole_numbers
from understudy.data.augment.window import Flip


class HorizontalFlipSettings(Transform):
    """Swap left and right."""

    kind: Literal["horizontal_flip"] = "horizontal_flip"
    probability: Probability = 0.5  # both are equally likely: SimCLR, He et al. and all others

    def draw(self, dice: Dice, frame: Frame) -> Flip:
        """Which views are mirrored."""
        del frame
        applied = dice.roll("applied")[0] < self.probability
        return Flip(horizontal=applied, vertical=torch.zeros_like(applied))


class VerticalFlipSettings(Transform):
    """Swap top and bottom: for images that have no upside, such as satellites'."""

    kind: Literal["vertical_flip"] = "vertical_flip"
    probability: Probability = 0.5  # both are equally likely

    def draw(self, dice: Dice, frame: Frame) -> Flip:
        """Which views are mirrored."""
        del frame
        applied = dice.roll("applied")[0] < self.probability
        return Flip(horizontal=torch.zeros_like(applied), vertical=applied)


class FlipSettings(Transform):
    """Swap left and right, top and bottom, or both: for images that have no upside."""

    kind: Literal["flip"] = "flip"
    probability: Probability = 0.75  # all four positions are equally likely

    def draw(self, dice: Dice, frame: Frame) -> Flip:
        """Which views are mirrored, and how: one of three ways, equally likely."""
        del frame
        applied, way = dice.roll("applied", "way")
        ways = whole_numbers(way, 3)
        chosen = applied < self.probability
        return Flip(horizontal=chosen & (ways != 1), vertical=chosen & (ways != 0))
