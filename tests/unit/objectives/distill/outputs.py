"""Random outputs of networks, and turned features."""

import torch
from torch import Tensor

from understudy.core.types import Outputs, Shape

BATCH, SIZE = 4, 8


def features(width: int, *, seed: int, images: int = 6) -> Tensor:
    """[images, width], in double precision."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(images, width, dtype=torch.float64, generator=generator)


def rotation(width: int, *, seed: int = 99) -> Tensor:
    """A random orthogonal matrix."""
    turned: Tensor = torch.linalg.qr(features(width, seed=seed, images=width)).Q
    return turned


def view(shape: Shape, *, seed: int) -> Outputs:
    """What a network of this shape could tell about four images."""
    generator = torch.Generator().manual_seed(seed)

    def values(*size: int) -> Tensor:
        return torch.randn(BATCH, *size, generator=generator, requires_grad=True)

    sides = [(stage.channels, SIZE // stage.reduction) for stage in shape.stages]
    return Outputs(
        pooled=values(shape.pooled),
        stages=tuple(values(channels, side, side) for channels, side in sides),
    )
