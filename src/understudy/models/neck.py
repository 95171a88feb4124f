"""What leads a student's features to a classifier that was trained on a teacher's."""

import torch.nn.functional as F
from pydantic import PositiveInt
from torch import Tensor, nn

from understudy.core.errors import UsageError
from understudy.core.settings import Settings
from understudy.core.types import Outputs, Shape, Stage, Tap

NAME = "neck"
"""What its map is called among the stages."""


class Neck(nn.Module):
    """The projector of SimKD (Chen et al., CVPR 2022, arXiv:2203.14001).

    Convolutions of 1x1, 3x3 and 1x1 with batch norm and relu, as in the authors' code. Departs
    from it: the last relu is left out where the teacher's features may be negative.

    Args:
        inputs: Channels of the last stage.
        width: Channels between.
        stage: What it gives: its channels are those that the classifier reads.
        side: Larger maps are averaged to this height and width before it; None: never.
        rectified: Whether the last relu is there.
    """

    def __init__(
        self, *, inputs: int, width: int, stage: Stage, side: int | None, rectified: bool
    ) -> None:
        super().__init__()
        self.stage, self.side, self.rectified = stage, side, rectified
        self.layers = nn.Sequential(
            *_normed(nn.Conv2d(inputs, width, 1, bias=False)),
            nn.ReLU(inplace=True),
            *_normed(nn.Conv2d(width, width, 3, padding=1, bias=False)),
            nn.ReLU(inplace=True),
            *_normed(nn.Conv2d(width, stage.channels, 1, bias=False)),
            nn.ReLU(inplace=True) if rectified else nn.Identity(),
        )

    def forward(self, stages: tuple[Tensor, ...], taps: frozenset[Tap]) -> Outputs:
        """One stage more, and its mean over the places.

        Args:
            stages: Each [B, C, H, W] of the backbone.
            taps: What to give of POOLED and STAGES.
        """
        led: Tensor = self.layers(self._averaged(stages[-1]))
        return Outputs(
            pooled=led.mean(dim=(2, 3)) if Tap.POOLED in taps else None,
            stages=(*stages, led) if Tap.STAGES in taps else (),
        )

    def _averaged(self, features: Tensor) -> Tensor:
        height, width = features.shape[2:]
        if self.side is None or max(height, width) <= self.side:
            return features
        return F.adaptive_avg_pool2d(features, (min(height, self.side), min(width, self.side)))


class NeckSettings(Settings):
    """How a neck is built; a method writes them, and no user does."""

    out: PositiveInt
    """Features that the classifier reads."""
    width: PositiveInt
    """Channels between."""
    side: PositiveInt | None
    """Larger maps are averaged to this height and width first; none: never."""
    rectified: bool
    """Whether what the classifier reads is above zero."""

    def build(self, backbone: Shape, *, size: int) -> Neck:
        """The neck for a backbone that sees images of this height and width.

        Raises:
            UsageError: The backbone has no stages.
        """
        if not backbone.stages:
            raise UsageError(
                "The student's backbone gives no stages, from which the features of a teacher's "
                "classifier could be made. Choose another `student`."
            )
        last = backbone.stages[-1]
        reduction = last.reduction if self.side is None else max(last.reduction, size // self.side)
        return Neck(
            inputs=last.channels,
            width=self.width,
            stage=Stage(NAME, self.out, reduction),
            side=self.side,
            rectified=self.rectified,
        )


def _normed(convolution: nn.Conv2d) -> tuple[nn.Conv2d, nn.BatchNorm2d]:
    return convolution, nn.BatchNorm2d(convolution.out_channels)
