"""ResNets of depth 6n+2 for small images (He et al., CVPR 2016, arXiv:1512.03385, section 4.2)."""

from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field, field_validator

from understudy.models.backbone import BackboneSettings, Staged
from understudy.models.residual import scaled, stage, stem

WIDTHS = (16, 32, 64)
STRIDES = (1, 2, 2)
WIDEST_STEM = (
    32  # of resnet8x4 and resnet32x4, whose stages are four times as wide but not the stem
)


class CifarResNetSettings(BackboneSettings):
    """The ResNets of depth 6n+2: resnet8 to resnet110, and with `width: 4` resnet8x4, resnet32x4.

    Equal in layers and parameters to the networks of the usual CIFAR-100 distillation tables
    (RepDistiller). Departs from the paper: the shortcuts are 1x1 convolutions with batch norm
    where the shape changes, as in those tables, not padded copies.
    """

    kind: Literal["cifar_resnet"] = "cifar_resnet"
    depth: Annotated[int, Field(ge=8, le=1202)] = 20
    """Layers, 6n+2: 8, 14, 20, 32, 44, 56, 110."""
    width: Annotated[float, Field(gt=0, le=32)] = 1.0
    """Factor on the channels 16, 32, 64 of the stages; the stem has 16 times it, at most 32."""

    @field_validator("depth")
    @classmethod
    def _six_n_plus_two(cls, depth: int) -> int:
        if depth % 6 != 2:
            raise ValueError("must be 6n+2: one of 8, 14, 20, 32, 44, 56, 110, or another such")
        return depth

    def build(self, channels: int) -> Staged:
        """Three stages of (depth - 2) / 6 blocks with two convolutions each."""
        widths = [scaled(width, self.width) for width in WIDTHS]
        first = min(widths[0], WIDEST_STEM)

        return Staged(
            stem=stem(channels, first),
            stages=[
                stage(inputs, outputs, blocks=self.depth // 6, stride=stride, convolutions=2)
                for (inputs, outputs), stride in zip(
                    pairwise([first, *widths]), STRIDES, strict=True
                )
            ],
            widths=widths,
            strides=STRIDES,
        )
