"""Values of a batch spread, levelled, coarsened and sharpened, each image by its own measure.

Values are those of torchvision's functionals of these names on float images.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

_LEVELS = 256  # that a histogram tells apart, whatever the depth of the pixels
_TO_LEVEL = _LEVELS - 1e-3  # as torchvision rounds floats to 8 bits: n / 255 stays n


def autocontrast(images: Tensor) -> Tensor:
    """Spreads each channel over the whole range; one of a single value stays.

    Args:
        images: [B, C, H, W] in [0, 1]; so also below.

    Returns:
        [B, C, H, W] in [0, 1]; so also below.
    """
    least = images.amin(dim=(2, 3), keepdim=True)
    span = images.amax(dim=(2, 3), keepdim=True) - least
    is_flat = span == 0
    least, span = least.masked_fill(is_flat, 0), span.masked_fill(is_flat, 1)
    return ((images - least) / span).clamp_(0, 1)


def equalized(images: Tensor) -> Tensor:
    """Makes all levels of each channel about equally frequent, as PIL's `equalize` does.

    Pixels are told apart by 256 levels; a channel with too few pixels away from its brightest
    level stays as it is.
    """
    batch, channels, height, width = images.shape
    levels = images.mul(_TO_LEVEL).to(torch.int64).view(batch * channels, height * width)
    histogram = torch.zeros(len(levels), _LEVELS, dtype=torch.int64, device=images.device)
    histogram.scatter_add_(1, levels, torch.ones_like(levels))
    below = histogram.cumsum(dim=1)
    brightest = histogram.gather(1, levels.amax(dim=1, keepdim=True))
    step = (height * width - brightest).div(_LEVELS - 1, rounding_mode="floor")
    is_flat = step == 0
    step = step.masked_fill(is_flat, 1)
    table = (below + step.div(2, rounding_mode="floor")).div(step, rounding_mode="floor")
    table = F.pad(table, (1, -1)).clamp_(max=_LEVELS - 1)  # those that lie below a level
    flat = images.view(levels.shape)
    changed = table.gather(1, levels).to(images.dtype) / (_LEVELS - 1)
    return torch.where(is_flat, flat, changed).view(images.shape)


def posterized(images: Tensor, bits: Tensor) -> Tensor:
    """Keeps the leading bits of each value.

    Args:
        images: [B, C, H, W] in [0, 1].
        bits: [B, 1, 1, 1], whole numbers.
    """
    levels = 2**bits
    return images.mul(levels).floor_().clamp_(max=levels - 1).div_(levels)


def sharpened(images: Tensor, factor: Tensor) -> Tensor:
    """Moves each pixel away from the mean of its neighbours, or towards it.

    The outermost pixels stay; images of one or two pixels in a side stay whole.

    Args:
        images: [B, C, H, W] in [0, 1].
        factor: [B, 1, 1, 1], 0 is smooth, 1 changes nothing.
    """
    if min(images.shape[2:]) < 3:
        return images
    channels = images.shape[1]
    kernel = torch.ones(3, 3, device=images.device)
    kernel[1, 1] = 5  # PIL's `SMOOTH`
    kernel = (kernel / kernel.sum()).expand(channels, 1, 3, 3)
    smooth = images.clone()
    smooth[:, :, 1:-1, 1:-1] = F.conv2d(images, kernel, groups=channels)
    return torch.lerp(smooth, images, factor).clamp_(0, 1)
