"""A random shift by a few pixels: the usual augmentation of small images."""

from typing import Literal

import torch
from pydantic import NonNegativeInt

from understudy.data.augment.transform import Dice, Frame, Probability, Transform, whole_numbers
from understudy.data.augment.window import Window


class PadAndCropSettings(Transform):
    """Pad the image with zeros on all sides and cut the view out at a random place.

    Unlike torchvision's `RandomCrop` with padding, it never cuts a small view out of a larger
    image: images of another size are first resized, as they are for evaluation.
    """

    kind: Literal["pad_and_crop"] = "pad_and_crop"
    probability: Probability = 1.0  # He et al., CVPR 2016: every training image
    padding: NonNegativeInt = 4  # He et al., CVPR 2016, section 4.2: 4 pixels for 32x32
    """Largest shift in either direction, in pixels of the view."""

    def draw(self, dice: Dice, frame: Frame) -> Window:
        """One window per view, of the image's own size."""
        applied, top, left = dice.roll("applied", "top", "left")
        places = whole_numbers(torch.stack([top, left]), 2 * self.padding + 1) - self.padding
        places = places * (applied < self.probability)
        return Window.whole(frame.source, len(applied))._replace(top=places[0], left=places[1])
