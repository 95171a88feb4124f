"""A random part of the image, stretched to the view's size (Szegedy et al., CVPR 2015)."""

import math
from typing import Annotated, Literal

import torch
from pydantic import Field, PositiveFloat
from torch import Tensor

from understudy.data.augment.transform import (
    Dice,
    Frame,
    Increasing,
    Probability,
    Size,
    Transform,
    spread,
    whole_numbers,
)
from understudy.data.augment.window import Flip, Window

_TRIES = 10  # as in torchvision; with the default ranges, one square image in 10^8 needs more
_NAMES = (
    "applied",
    "top",
    "left",
    *(f"{what} {n}" for what in ("area", "ratio") for n in range(_TRIES)),
)

Share = Annotated[float, Field(gt=0, le=1)]


class RandomResizedCropSettings(Transform):
    """Show a random part of the image, stretched to the view's size; elsewise its centre."""

    kind: Literal["random_resized_crop"] = "random_resized_crop"
    probability: Probability = 1.0  # SimCLR crops every view
    scale: Annotated[tuple[Share, Share], Increasing] = (0.08, 1.0)  # SimCLR, also for CIFAR
    """Range of the part's area, as a share of the image's."""
    ratio: Annotated[tuple[PositiveFloat, PositiveFloat], Increasing] = (3 / 4, 4 / 3)  # SimCLR
    """Range of the part's width over its height."""

    def draw(self, dice: Dice, frame: Frame) -> Window:
        """One window per view, distributed as torchvision's `RandomResizedCrop`.

        As there, up to ten sizes are tried, and the first that fits into the image is taken; if
        none does, the largest centred part with an allowed ratio is. All ten are drawn at once.
        """
        numbers = dice.roll(*_NAMES)
        sizes = self._candidates(numbers[3 : 3 + _TRIES], numbers[3 + _TRIES :], frame.source)
        fits = ((sizes > 0) & (sizes <= torch.tensor(frame.source)[:, None, None])).all(dim=0)
        fits &= numbers[0] < self.probability

        first = fits.to(torch.uint8).argmax(dim=0)
        height, width = sizes.gather(1, first.expand(2, 1, -1))[:, 0]
        window = Window(
            top=whole_numbers(numbers[1], frame.source.height - height + 1),
            left=whole_numbers(numbers[2], frame.source.width - width + 1),
            height=height,
            width=width,
            flip=Flip(*torch.zeros(2, len(first), dtype=torch.bool)),
            source=frame.source,
            target=frame.target,
        )
        return _centred_where(~fits.any(dim=0), window, self._largest(frame.source))

    def _candidates(self, areas: Tensor, ratios: Tensor, source: Size) -> Tensor:
        """[2, tries, B]: heights and widths, int64.

        In double precision, so that the last bit of another machine's `exp` moves no border.
        """
        area = spread(areas.double(), self.scale).mul_(source.height * source.width)
        logarithms = (math.log(self.ratio[0]), math.log(self.ratio[1]))
        ratio = spread(ratios.double(), logarithms).exp_()
        return torch.stack([area / ratio, area * ratio]).sqrt_().round_().to(torch.int64)

    def _largest(self, source: Size) -> Size:
        """The largest part with an allowed ratio."""
        height, width = source
        if width / height < self.ratio[0]:
            return Size(round(width / self.ratio[0]), width)
        if width / height > self.ratio[1]:
            return Size(height, round(height * self.ratio[1]))
        return source


def _centred_where(chosen: Tensor, window: Window, size: Size) -> Window:
    centred = (
        (window.source.height - size.height) // 2,
        (window.source.width - size.width) // 2,
        *size,
    )
    numbers = zip(window[:4], centred, strict=True)
    top, left, height, width = (torch.where(chosen, here, found) for found, here in numbers)
    return window._replace(top=top, left=left, height=height, width=width)
