"""Single pixels far too bright or too dark, as of a sensor's dead or hot cells."""

from typing import Annotated, ClassVar, Literal, NamedTuple

import torch
from pydantic import Field, PositiveFloat
from torch import Tensor

from understudy.data.augment.transform import Dice, Frame, Probability, Transform, altered
from understudy.data.counter import noise


class Speckle(NamedTuple):
    """Which share of each image's pixels is lost."""

    applied: Tensor
    """[B], bool."""
    share: Tensor
    """[B], float32."""
    words: Tensor
    """[B], int64: from which each pixel's numbers are made."""
    low: tuple[float, ...]
    """[C]: what a dark pixel is; `high`: a bright one."""
    high: tuple[float, ...]

    def apply(self, images: Tensor) -> Tensor:
        """Loses the pixels of the chosen images."""
        low, high = (
            torch.tensor(values, device=images.device).view(-1, 1, 1)
            for values in (self.low, self.high)
        )

        def speckled(chosen: Tensor, share: Tensor, words: Tensor) -> Tensor:
            count, _, height, width = chosen.shape
            lost, bright = (
                noise(words.view(-1), name, height * width).view(count, 1, height, width)
                for name in ("lost", "bright")
            )
            filled = torch.where(bright < 0.5, low, high).expand_as(chosen)
            return torch.where(lost < share, filled, chosen)

        return altered(images, self.applied, speckled, self.share, self.words)


class SpeckleSettings(Transform):
    """Set a few pixels, in all channels, far above or below the usual values."""

    needs_statistics: ClassVar[bool] = True
    kind: Literal["speckle"] = "speckle"
    probability: Probability = 1.0  # SimCLR-S2: whenever it is drawn
    most: Annotated[float, Field(ge=0, le=1)] = 0.02  # SimCLR-S2: up to 2 in 100 pixels
    """Largest share of the pixels; each view draws its own."""
    distance: PositiveFloat = 5.0  # SimCLR-S2: of values that are standardised
    """How far from each channel's mean, in its standard deviations, as far as the range goes."""

    def draw(self, dice: Dice, frame: Frame) -> Speckle:
        """How many pixels of each view, and from which words they are drawn."""
        applied, share = dice.roll("applied", "share")
        known = frame.known()
        return Speckle(
            applied=applied < self.probability,
            share=share * self.most,
            words=dice.words("pixels"),
            low=_ends(known.mean, known.std, -self.distance),
            high=_ends(known.mean, known.std, self.distance),
        )


def _ends(mean: tuple[float, ...], std: tuple[float, ...], steps: float) -> tuple[float, ...]:
    pairs = zip(mean, std, strict=True)
    return tuple(min(1.0, max(0.0, centre + steps * spread)) for centre, spread in pairs)
