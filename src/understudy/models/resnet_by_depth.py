"""Small ResNets of 3 to 18 layers, 64 to 512 channels wide, for the distillation of small images.

The family of a CIFAR-10 study of distillation into ever shallower students: a stem of 64 channels
without max pool, then one stage for each of 64, 128, 256, 512 channels that the depth allows.
"""

from itertools import pairwise
from typing import Annotated, Literal, NamedTuple

from pydantic import Field

from understudy.models.backbone import BackboneSettings, Staged
from understudy.models.residual import scaled, stage, stem

STEM = 64
WIDTHS = (64, 128, 256, 512)
STRIDES = (1, 2, 2, 2)


class Plan(NamedTuple):
    """How a depth is spent."""

    convolutions: Literal[1, 2]
    """In each block."""
    blocks: tuple[int, ...]
    """In each stage."""


# Depth counts the stem, the classifier and the convolutions of the blocks, not the shortcuts.
PLANS: dict[int, Plan] = {
    3: Plan(1, (1,)),
    4: Plan(1, (1, 1)),
    5: Plan(1, (1, 1, 1)),
    6: Plan(1, (1, 1, 1, 1)),
    10: Plan(2, (1, 1, 1, 1)),
    12: Plan(2, (2, 1, 1, 1)),
    14: Plan(2, (2, 2, 1, 1)),
    18: Plan(2, (2, 2, 2, 2)),
}


class ResNetByDepthSettings(BackboneSettings):
    """ResNets of 3 to 18 layers: shallow students beside teachers of the same build.

    With 3 channels and a classifier of 10 classes, depths 3, 4, 5, 6 and 10 have 39,498, 122,570,
    452,554, 1,767,882 and 4,903,242 parameters.
    """

    kind: Literal["resnet_by_depth"] = "resnet_by_depth"
    depth: Literal[3, 4, 5, 6, 10, 12, 14, 18] = 10
    """Layers, with the classifier and without the shortcuts."""
    width: Annotated[float, Field(gt=0, le=8)] = 1.0
    """Factor on the channels 64, 128, 256, 512; 0.25 makes students that train fast on a CPU."""

    def build(self, channels: int) -> Staged:
        """One stage for each entry of the depth's plan."""
        plan = PLANS[self.depth]
        widths = [scaled(width, self.width) for width in WIDTHS[: len(plan.blocks)]]
        strides = STRIDES[: len(plan.blocks)]
        first = scaled(STEM, self.width)

        return Staged(
            stem=stem(channels, first),
            stages=[
                stage(inputs, outputs, blocks=blocks, stride=stride, convolutions=plan.convolutions)
                for (inputs, outputs), blocks, stride in zip(
                    pairwise([first, *widths]), plan.blocks, strides, strict=True
                )
            ],
            widths=widths,
            strides=strides,
        )
