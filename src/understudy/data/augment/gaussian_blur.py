"""Gaussian blur as two banded matrices per image: the same resampling as the crops'."""

from functools import lru_cache
from typing import Annotated, Literal, NamedTuple

import torch
from pydantic import AfterValidator, PositiveFloat, PositiveInt
from torch import Tensor

from understudy.data.augment.transform import (
    Dice,
    Frame,
    Increasing,
    Probability,
    Transform,
    altered,
    spread,
)
from understudy.data.augment.window import resampled


class GaussianBlur(NamedTuple):
    """Which images are blurred, and how much."""

    applied: Tensor
    """[B], bool."""
    sigma: Tensor
    """[B], float32, in pixels."""
    kernel_size: int

    def apply(self, images: Tensor) -> Tensor:
        """Blurs the chosen images."""

        def blurred(chosen: Tensor, sigma: Tensor) -> Tensor:
            return gaussian_blurred(chosen, sigma.view(-1), self.kernel_size)

        return altered(images, self.applied, blurred, self.sigma)


def gaussian_blurred(images: Tensor, sigma: Tensor, kernel_size: int) -> Tensor:
    """Blurs each image by its own Gaussian, reflecting it at its borders.

    Args:
        images: [B, C, H, W], float.
        sigma: [B], standard deviations in pixels.
        kernel_size: Odd number of taps; the Gaussian is cut off beyond them.

    Returns:
        [B, C, H, W], values of torchvision's functional `gaussian_blur`. Unlike there, the kernel
        may be larger than the image, which is then reflected several times.
    """
    taps = torch.arange(kernel_size, device=images.device) - kernel_size // 2
    kernels = torch.softmax(-0.5 * (taps / sigma[:, None]).square(), dim=1)

    def matrices(length: int) -> Tensor:
        bands = _bands(length, kernel_size).to(images.device, non_blocking=True)
        return (kernels @ bands).view(-1, length, length)

    height, width = images.shape[2:]
    return resampled(images, rows=matrices(height), columns=matrices(width))


@lru_cache(maxsize=8)  # one or two image sizes in a run; the largest, 224 pixels, takes 5 MB
def _bands(length: int, kernel_size: int) -> Tensor:
    """[taps, length x length]: 1 where new pixel i reads old pixel j through the tap."""
    offsets = torch.arange(kernel_size)[:, None] - kernel_size // 2
    period = max(1, 2 * (length - 1))
    places = (torch.arange(length) + offsets).remainder(period)
    reflected = torch.minimum(places, period - places).clamp_(max=length - 1)
    return torch.nn.functional.one_hot(reflected, length).to(torch.float32).flatten(1)


def _odd(size: int) -> int:
    if size % 2 == 0:
        raise ValueError(f"must be odd, such as {size + 1}, so that the kernel has a centre")
    return size


class GaussianBlurSettings(Transform):
    """Blur the image by a Gaussian of random width."""

    kind: Literal["gaussian_blur"] = "gaussian_blur"
    probability: Probability = 0.5  # SimCLR, appendix A, for ImageNet; its CIFAR set has no blur
    kernel_size: Annotated[PositiveInt, AfterValidator(_odd)] = 3  # SimCLR: a tenth of 32, odd
    """Number of taps, odd: a tenth of the view's size is usual, 23 for 224."""
    sigma: Annotated[tuple[PositiveFloat, PositiveFloat], Increasing] = (0.1, 2.0)  # SimCLR
    """Range of the standard deviation, in pixels."""

    def draw(self, dice: Dice, frame: Frame) -> GaussianBlur:
        """Which views are blurred, and how much."""
        del frame
        applied, sigma = dice.roll("applied", "sigma")
        return GaussianBlur(
            applied=applied < self.probability,
            sigma=spread(sigma, self.sigma),
            kernel_size=self.kernel_size,
        )
