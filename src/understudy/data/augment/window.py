"""Geometry as two matrices per image: one resamples the rows, one the columns."""

from collections.abc import Sequence
from functools import reduce
from typing import NamedTuple, Self

import torch
from torch import Tensor

from understudy.data.augment.transform import Size

_NOTHING = -1e-6  # small beside the least sum of weights that is not 0, a half at the border


class Flip(NamedTuple):
    """Which images of a batch are mirrored."""

    horizontal: Tensor
    """[B], bool: left and right change places."""
    vertical: Tensor
    """[B], bool: top and bottom change places."""


class Window(NamedTuple):
    """The part of each image that a view shows, stretched to the view's size.

    A window may reach beyond the image, where everything is zero.
    """

    top: Tensor
    """[B], in pixels of the source; so are left, height and width."""
    left: Tensor
    height: Tensor
    width: Tensor
    flip: Flip
    source: Size
    target: Size

    @classmethod
    def whole(cls, size: Size, count: int) -> Self:
        """Windows that change nothing, for `count` images."""
        zero, never = torch.zeros(count, dtype=torch.int64), torch.zeros(count, dtype=torch.bool)
        height, width = zero + size.height, zero + size.width
        return cls(zero, zero, height, width, Flip(never, never), source=size, target=size)

    def flipped(self, flip: Flip) -> "Window":
        """The same window, mirrored once more."""
        both = Flip(self.flip.horizontal ^ flip.horizontal, self.flip.vertical ^ flip.vertical)
        return self._replace(flip=both)

    def to(self, device: torch.device) -> "Window":
        """The same window for images on a device; its few numbers travel without a wait."""
        numbers = (self.top, self.left, self.height, self.width, *self.flip)
        top, left, height, width, *flip = (n.to(device, non_blocking=True) for n in numbers)
        return Window(top, left, height, width, Flip(*flip), self.source, self.target)

    def rows(self) -> Tensor:
        """[B, target height, source height]."""
        return weights(
            start=self.top,
            extent=self.height,
            mirrored=self.flip.vertical,
            source=self.source.height,
            target=self.target.height,
        )

    def columns(self) -> Tensor:
        """[B, target width, source width]."""
        return weights(
            start=self.left,
            extent=self.width,
            mirrored=self.flip.horizontal,
            source=self.source.width,
            target=self.target.width,
        )


def weights(*, start: Tensor, extent: Tensor, mirrored: Tensor, source: int, target: int) -> Tensor:
    """Antialiased linear resampling of one axis, as a matrix for each image.

    A triangle around each new pixel, as wide as two of the larger of old and new pixels, cut off
    at the window's borders and brought to sum 1: the weights of torchvision's `resize` with
    `antialias=True` on the window.

    Args:
        start: [B], first pixel of the window; negative or too large reaches beyond the image.
        extent: [B], number of pixels of the window.
        mirrored: [B], bool.
        source: S, pixels of the whole axis.
        target: T, pixels wanted.

    Returns:
        [B, T, S], float32; rows sum to 1, or to 0 where they lie outside the image.
    """
    start, extent = start.to(torch.float32)[:, None], extent.to(torch.float32)[:, None]
    scale = extent / target
    sharpness = 1 / scale.clamp(min=1)  # when shrinking, the triangle widens with the scale

    centres = torch.arange(target, device=start.device) + 0.5
    centres = torch.where(mirrored[:, None], target - centres, centres) * (scale * sharpness)
    pixels = torch.arange(source, device=start.device) + 0.5 - start
    outside = (pixels < 0) | (pixels > extent)
    pixels = pixels.mul_(sharpness).masked_fill_(outside, torch.inf)

    # Negative triangles, min(0, |distance| - 1): two passes less, and the division undoes the sign.
    triangles = (pixels[:, None, :] - centres[:, :, None]).abs_().sub_(1).clamp_(max=0)
    return triangles.div_(triangles.sum(dim=2, keepdim=True).clamp_(max=_NOTHING))


def resampled(images: Tensor, *, rows: Tensor, columns: Tensor) -> Tensor:
    """Applies a pair of matrices to every channel.

    Args:
        images: [B, C, H, W], float in [0, 1].
        rows: [B, H', H], none negative, of sum 1 or 0.
        columns: [B, W', W], likewise.

    Returns:
        [B, C, H', W'], in [0, 1].
    """
    batch, channels, height, width = images.shape
    flat = images.reshape(batch, channels * height, width)
    narrowed = torch.bmm(flat, columns.transpose(1, 2)).view(batch, channels, height, -1)
    # Weights sum to 1 up to rounding, which would let a white image leave the range.
    return torch.matmul(rows[:, None], narrowed).clamp_(max=1)


def seen_through(images: Tensor, steps: Sequence[Window | Flip]) -> Tensor:
    """Applies geometric steps, one after the other, by a single resampling.

    Args:
        images: [B, C, H, W], float.
        steps: At least one.

    Returns:
        [B, C, H', W'] of the last step's target.
    """
    unflipped = _without_flips(steps, source=Size(*images.shape[2:]), count=len(images))
    windows = [window.to(images.device) for window in unflipped]
    rows = reduce(_after, (window.rows() for window in windows))
    columns = reduce(_after, (window.columns() for window in windows))
    return resampled(images, rows=rows, columns=columns)


def _without_flips(steps: Sequence[Window | Flip], source: Size, count: int) -> list[Window]:
    """Every flip joined to the window before it, which costs no further matrix."""
    windows = [] if isinstance(steps[0], Window) else [Window.whole(source, count)]
    for step in steps:
        if isinstance(step, Flip):
            windows[-1] = windows[-1].flipped(step)
        else:
            windows.append(step)
    return windows


def _after(first: Tensor, second: Tensor) -> Tensor:
    return torch.bmm(second, first)
