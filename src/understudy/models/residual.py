"""The residual block of the small ResNets (He et al., CVPR 2016, arXiv:1512.03385)."""

from typing import Literal

import torch.nn.functional as F
from torch import Tensor, nn

NARROW = 8
"""Channels that fill a vector register of AVX2; with as many nothing was wrong."""


class Thinned(nn.Conv2d):
    """A 1x1 convolution with a stride: in training, one without over those pixels that it reads.

    Over fewer channels than fill a vector register, processors with AVX2 compute the gradient of
    the strided one wrongly in the layout channels_last, half of it in our trials, and write beyond
    their memory (oneDNN issue 6035, in torch 2.15). With AVX-512 it was not seen.
    """

    def forward(self, images: Tensor) -> Tensor:
        """[B, C, H, W] to [B, K, ceil(H / stride), ceil(W / stride)]."""
        if not self.training:  # an exported file has the strided one, which is a tenth faster
            return super().forward(images)
        down, right = self.stride
        return F.conv2d(images[:, :, ::down, ::right], self.weight, self.bias)


def convolution(inputs: int, outputs: int, *, size: int, stride: int) -> nn.Sequential:
    """A square convolution that keeps the size (at stride 1), and its batch norm."""
    kind = Thinned if size == 1 and stride > 1 and inputs < NARROW else nn.Conv2d
    return nn.Sequential(
        kind(inputs, outputs, size, stride=stride, padding=size // 2, bias=False),
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
