"""Brightness, contrast, saturation and hue at random, as torchvision's `ColorJitter`."""

from itertools import permutations
from typing import Annotated, Literal, NamedTuple

import torch
from pydantic import Field, NonNegativeFloat
from torch import Tensor

from understudy.data.augment.adjust import brighter, contrasted, hue_shifted, saturated
from understudy.data.augment.transform import (
    Dice,
    Frame,
    Probability,
    Transform,
    altered,
    spread,
    whole_numbers,
)

_ADJUSTMENTS = (brighter, contrasted, saturated, hue_shifted)  # in the order of `Jitter`'s factors
_ORDERS = torch.tensor(list(permutations(range(len(_ADJUSTMENTS)))))
_NEVER = -1


class Jitter(NamedTuple):
    """What each image's colours are multiplied by; a factor that is off is None."""

    order: Tensor
    """[B, 4], int64: which adjustment comes first, second ...; -1 where none comes."""
    brightness: Tensor | None
    """[B], float32; so are contrast and saturation."""
    contrast: Tensor | None
    saturation: Tensor | None
    hue: Tensor | None
    """[B], float32, in turns of the colour circle."""

    def apply(self, images: Tensor) -> Tensor:
        """Goes through the four places of the order, and adjusts alike images together."""
        factors = (self.brightness, self.contrast, self.saturation, self.hue)
        for place in self.order.unbind(dim=1):
            for number, (adjust, factor) in enumerate(zip(_ADJUSTMENTS, factors, strict=True)):
                if factor is not None:
                    images = altered(images, place == number, adjust, factor)
        return images


class ColorJitterSettings(Transform):
    """Change brightness, contrast, saturation and hue, in an order drawn for each view."""

    kind: Literal["color_jitter"] = "color_jitter"
    probability: Probability = 0.8  # SimCLR, appendix A
    brightness: NonNegativeFloat = 0.4  # SimCLR's CIFAR-10 set: 0.8 x strength 0.5
    """Values are multiplied by 1 ± this."""
    contrast: NonNegativeFloat = 0.4  # 0.8 x strength 0.5
    """Distances from the image's mean grey are multiplied by 1 ± this."""
    saturation: NonNegativeFloat = 0.4  # 0.8 x strength 0.5
    """Distances from each pixel's grey are multiplied by 1 ± this; three channels only."""
    hue: Annotated[float, Field(ge=0, le=0.5)] = 0.1  # 0.2 x strength 0.5
    """The colour circle is turned by up to this share of a turn; three channels only."""

    def draw(self, dice: Dice, frame: Frame) -> Jitter:
        """Factors and an order for each view."""
        del frame
        applied, order, *numbers = dice.roll(
            "applied", "order", "brightness", "contrast", "saturation", "hue"
        )
        brightness, contrast, saturation = (
            spread(number, (max(0.0, 1 - strength), 1 + strength)) if strength > 0 else None
            for number, strength in zip(numbers, self._strengths(), strict=False)
        )
        return Jitter(
            order=_ORDERS[whole_numbers(order, len(_ORDERS))].masked_fill_(
                (applied >= self.probability)[:, None], _NEVER
            ),
            brightness=brightness,
            contrast=contrast,
            saturation=saturation,
            hue=spread(numbers[3], (-self.hue, self.hue)) if self.hue > 0 else None,
        )

    def objection(self, channels: int) -> str | None:
        """Saturation and hue are properties of three colours."""
        if channels == 3 or (self.saturation == 0 and self.hue == 0):
            return None
        return "changes saturation and hue, which need 3 channels; set `saturation: 0` and `hue: 0`"

    def _strengths(self) -> tuple[float, float, float]:
        return self.brightness, self.contrast, self.saturation
