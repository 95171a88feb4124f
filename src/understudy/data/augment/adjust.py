"""Brightness, contrast, saturation and hue of a batch, each image by a factor of its own.

Values are those of torchvision's functional `adjust_*` on float images.
"""

import torch
from torch import Tensor

_LUMA = (0.2989, 0.587, 0.114)  # ITU-R BT.601, rounded as in torchvision; the sum is 0.9999
_FROM_LEAST = torch.tensor([1 / 2, 1 / 6, -1 / 6]).view(3, 1, 1)
"""A channel is least half a turn from its own hue: red at 1/2, green at 5/6, blue at 1/6."""
_SECTORS = 6  # of the hue circle, between pure red, yellow, green, cyan, blue, magenta


def brighter(images: Tensor, factor: Tensor) -> Tensor:
    """Multiplies all values.

    Args:
        images: [B, C, H, W] in [0, 1]; so also below.
        factor: [B, 1, 1, 1], 0 is black, 1 changes nothing.

    Returns:
        [B, C, H, W] in [0, 1]; so also below.
    """
    return images.mul(factor).clamp_(0, 1)


def contrasted(images: Tensor, factor: Tensor) -> Tensor:
    """Moves all values away from the image's mean grey, or towards it.

    Images that do not have three channels have no grey: theirs is the plain mean of all values.
    """
    means = images.mean(dim=(2, 3), keepdim=True)
    grey = gray(means) if images.shape[1] == 3 else means.mean(dim=1, keepdim=True)
    return torch.lerp(grey, images, factor).clamp_(0, 1)


def saturated(images: Tensor, factor: Tensor) -> Tensor:
    """Moves each pixel away from its own grey, or towards it; three channels."""
    return torch.lerp(gray(images), images, factor).clamp_(0, 1)


def gray(images: Tensor) -> Tensor:
    """[B, 3, H, W] to the luma [B, 1, H, W]."""
    red, green, blue = images.chunk(3, dim=1)
    return red.mul(_LUMA[0]).add_(green, alpha=_LUMA[1]).add_(blue, alpha=_LUMA[2])


def hue_shifted(images: Tensor, turn: Tensor) -> Tensor:
    """Turns the hue of each pixel; three channels.

    Args:
        images: [B, 3, H, W] in [0, 1].
        turn: [B, 1, 1, 1] in [-0.5, 0.5], in full turns.

    Departs from torchvision's code, not from its values: a channel of hue h, largest value v and
    range r is v - r x trapezium(h + its phase), so that no pixel needs to know its sector.
    """
    largest = images.amax(dim=1, keepdim=True)
    chroma = largest - images.amin(dim=1, keepdim=True)
    angle = (_hue(images, largest=largest, chroma=chroma) / _SECTORS).add_(turn)

    away = angle + _FROM_LEAST.to(images.device, non_blocking=True)
    away = away.sub_(away.round()).abs_().mul_(-_SECTORS).add_(2).clamp_(0, 1)
    return torch.addcmul(largest, chroma, away, value=-1)


def _hue(images: Tensor, *, largest: Tensor, chroma: Tensor) -> Tensor:
    """[B, 1, H, W] in sectors, modulo 6; any number where there is no colour.

    The cases are masks to multiply by: a `where` at random places costs the CPU ten times more.
    """
    red, green, blue = images.chunk(3, dim=1)
    from_red = torch.eq(red, largest, out=torch.empty_like(red))
    from_green = torch.eq(green, largest, out=torch.empty_like(red)).mul_(1 - from_red)
    from_blue = (1 - from_red).sub_(from_green)

    differences = (green - blue).mul_(from_red)
    differences.addcmul_(blue - red, from_green).addcmul_(red - green, from_blue)
    colourless = torch.eq(chroma, 0, out=torch.empty_like(chroma))
    return differences.div_(chroma + colourless).add_(from_green, alpha=2).add_(from_blue, alpha=4)
