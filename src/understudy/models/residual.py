"""The residual block of the small ResNets (He et al., CVPR 2016, arXiv:1512.03385)."""

from typing import Literal

import torch.nn.functional as F
from torch import Tensor, nn


def convolution(inputs: int, outputs: int, *, size: int, stride: int) -> nn.Sequential:
    """A square convolution that keeps the size (at stride 1), and its batch norm."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, size, stride=stride, padding=size // 2, bias=False),
        nn.BatchNorm2d(outputs),
    )


class Residual(nn.Module):
    """`relu(body + shortcut)`, with a 1x1 convolution as shortcut where the shape changes.

    Args:
        inputs: Channels that come in.
        outputs: Channels that go out.
        stride: Of the first convolution and of the shortcut.
        convolutions: Two, as usual: conv, norm, relu, conv, norm. One is the `SimpleBasicBlock` of
            the shallowest networks: conv, norm, relu.
    """

    def __init__(
        self, inputs: int, outputs: int, *, stride: int, convolutions: Literal[1, 2]
    ) -> None:
        super().__init__()
        self.body = nn.Sequential(
            convolution(inputs, outputs, size=3, stride=stride),
            nn.ReLU(inplace=True),
        )
        if convolutions == 2:
            self.body.append(convolution(outputs, outputs, size=3, stride=1))
        self.shortcut = (
            nn.Identity()
            if stride == 1 and inputs == outputs
            else convolution(inputs, outputs, size=1, stride=stride)
        )

    def forward(self, features: Tensor) -> Tensor:
        """[B, inputs, H, W] to [B, outputs, ceil(H / stride), ceil(W / stride)]."""
        return F.relu(self.body(features) + self.shortcut(features))


def stem(channels: int, width: int) -> nn.Sequential:
    """The beginning for small images: a 3x3 convolution at full resolution, no max pool."""
    return nn.Sequential(
        convolution(channels, width, size=3, stride=1),
        nn.ReLU(inplace=True),
    )


def stage(
    inputs: int, outputs: int, *, blocks: int, stride: int, convolutions: Literal[1, 2]
) -> nn.Sequential:
    """Blocks of one resolution; the first one changes the width and the resolution."""
    first = Residual(inputs, outputs, stride=stride, convolutions=convolutions)
    others = [
        Residual(outputs, outputs, stride=1, convolutions=convolutions) for _ in range(blocks - 1)
    ]
    return nn.Sequential(first, *others)


def scaled(channels: int, width: float) -> int:
    """The channels times a width factor, at least one."""
    return max(1, round(channels * width))
