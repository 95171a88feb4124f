"""Colour taken away."""

from typing import Literal, NamedTuple

from torch import Tensor

from understudy.data.augment.adjust import gray
from understudy.data.augment.transform import Dice, Frame, Probability, Transform, altered


class Grayscale(NamedTuple):
    """Which images lose their colours."""

    applied: Tensor
    """[B], bool."""

    def apply(self, images: Tensor) -> Tensor:
        """Gives the chosen images their luma in all three channels."""
        return altered(images, self.applied, _colourless)


class GrayscaleSettings(Transform):
    """Replace all three channels by the luma."""

    kind: Literal["grayscale"] = "grayscale"
    probability: Probability = 0.2  # SimCLR, appendix A

    def draw(self, dice: Dice, frame: Frame) -> Grayscale:
        """Which views lose their colours."""
        del frame
        return Grayscale(applied=dice.roll("applied")[0] < self.probability)

    def objection(self, channels: int) -> str | None:
        """Luma is a property of three colours."""
        return None if channels == 3 else "needs 3 channels; leave it out"


def _colourless(images: Tensor) -> Tensor:
    return gray(images).expand_as(images)
