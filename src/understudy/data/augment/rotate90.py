"""Quarter turns: for images that have no upside, such as satellites'."""

from typing import Literal, NamedTuple

import torch
from torch import Tensor

from understudy.data.augment.transform import (
    Dice,
    Frame,
    Probability,
    Transform,
    altered,
    whole_numbers,
)


class Rotate90(NamedTuple):
    """How each image is turned."""

    turns: Tensor
    """[B], int64: quarter turns against the clock, 0 to 3."""

    def apply(self, images: Tensor) -> Tensor:
        """Turns the images that are to be turned; no pixel is computed anew."""
        for turns in (1, 2, 3):
            images = altered(
                images, self.turns == turns, lambda chosen, k=turns: torch.rot90(chosen, k, (2, 3))
            )
        return images


class Rotate90Settings(Transform):
    """Turn the image by 90, 180 or 270 degrees; one that is no square by 180."""

    kind: Literal["rotate90"] = "rotate90"
    probability: Probability = 0.75  # all four positions are equally likely

    def draw(self, dice: Dice, frame: Frame) -> Rotate90:
        """How often each view is turned."""
        applied, turns = dice.roll("applied", "turns")
        is_square = frame.source.height == frame.source.width
        drawn = 1 + whole_numbers(turns, 3) if is_square else torch.full_like(turns, 2).long()
        return Rotate90(drawn * (applied < self.probability))
