"""All channels multiplied by one factor, as by more or less light."""

from typing import Annotated, Literal, NamedTuple

from pydantic import Field
from torch import Tensor

from understudy.data.augment.adjust import brighter
from understudy.data.augment.transform import Dice, Frame, Probability, Transform, altered, spread


class Gain(NamedTuple):
    """What each image is multiplied by."""

    applied: Tensor
    """[B], bool."""
    factor: Tensor
    """[B], float32."""

    def apply(self, images: Tensor) -> Tensor:
        """Multiplies the chosen images."""
        return altered(images, self.applied, brighter, self.factor)


class GainSettings(Transform):
    """Multiply all channels by one factor: what bands are to each other stays as it is.

    Departs from SimCLR-S2, which multiplied standardised values by -0.5 to 0.5, and so turned
    half of all images into their opposite.
    """

    kind: Literal["gain"] = "gain"
    probability: Probability = 1.0  # SimCLR-S2: whenever it is drawn
    most: Annotated[float, Field(ge=0, le=1)] = 0.5  # SimCLR-S2's range, about 1 in place of 0
    """The factor lies between 1 - this and 1 + this."""

    def draw(self, dice: Dice, frame: Frame) -> Gain:
        """What each view is multiplied by."""
        del frame
        applied, factor = dice.roll("applied", "factor")
        return Gain(applied < self.probability, spread(factor, (1 - self.most, 1 + self.most)))
