"""Images turned, slanted and moved by any amount, each by one of its own, by one resampling.

Values are those of torchvision's functional `affine` with bilinear interpolation and zero beyond
the border.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor


def rotated(images: Tensor, degrees: Tensor) -> Tensor:
    """Turns around the centre.

    Args:
        images: [B, C, H, W] in [0, 1]; so also below.
        degrees: [B, 1, 1, 1], clockwise.

    Returns:
        [B, C, H, W] in [0, 1]; so also below.
    """
    angle = degrees * (math.pi / 180)
    return _seen_from(images, xx=angle.cos(), xy=angle.sin(), yx=-angle.sin(), yy=angle.cos())


def slanted_right(images: Tensor, slope: Tensor) -> Tensor:
    """Moves rows to the right by `slope` pixels for each pixel that they lie below the centre."""
    return _seen_from(images, xy=-slope)


def slanted_down(images: Tensor, slope: Tensor) -> Tensor:
    """Moves columns down by `slope` pixels for each pixel that they lie right of the centre."""
    return _seen_from(images, yx=-slope)


def moved_right(images: Tensor, share: Tensor) -> Tensor:
    """Moves by a share of the width, in fractions of a pixel."""
    return _seen_from(images, x=-share * images.shape[3])


def moved_down(images: Tensor, share: Tensor) -> Tensor:
    """Moves by a share of the height, in fractions of a pixel."""
    return _seen_from(images, y=-share * images.shape[2])


def _seen_from(
    images: Tensor,
    *,
    xx: Tensor | float = 1.0,
    xy: Tensor | float = 0.0,
    x: Tensor | float = 0.0,
    yx: Tensor | float = 0.0,
    yy: Tensor | float = 1.0,
    y: Tensor | float = 0.0,
) -> Tensor:
    """Shows at each place what is elsewhere, in pixels from the centre: (xx X + xy Y + x, ...)."""
    height, width = images.shape[2:]
    down = (torch.arange(height, device=images.device) - (height - 1) / 2).view(1, -1, 1, 1)
    right = (torch.arange(width, device=images.device) - (width - 1) / 2).view(1, 1, -1, 1)
    across = (xx * right + xy * down + x) * (2 / width)  # the border lies at 1
    along = (yx * right + yy * down + y) * (2 / height)
    shape = (len(images), height, width, 1)
    places = torch.cat([across.expand(shape), along.expand(shape)], dim=3)
    return F.grid_sample(images, places, padding_mode="zeros", align_corners=False).clamp_(max=1)
