"""Mirror images of images."""

from typing import Literal

import torch

from understudy.data.augment.transform import Dice, Frame, Probability, Transform
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
