"""Knowledge review (ReviewKD; Chen et al., CVPR 2021, arXiv:2104.09044)."""

from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from pydantic import PositiveInt
from torch import Tensor, nn

from understudy.core.types import Outputs, Shape, Tap, Targets, Terms
from understudy.objectives.objective import Objective, ObjectiveSettings, Views, guided
from understudy.objectives.pairing import Pairing, StagePair, same_size, stage_pairs
from understudy.objectives.reading import mean, paired, pooled, precise, total

PYRAMID = (4, 2, 1)  # the authors' sides of the averaged maps; each counts half of the one before


def pyramid_distance(guess: Tensor, features: Tensor) -> Tensor:
    """The squared difference at several resolutions (the paper's hierarchical context loss).

    Args:
        guess: [B, C, H, W].
        features: The teacher's, [B, C, H, W].

    Returns:
        The mean square of the maps, and of the maps averaged to 4 x 4, 2 x 2 and 1 x 1 as far as
        these are smaller; with weights 1, 1/2, 1/4, 1/8, divided by their sum.
    """
    difference = precise(guess) - precise(features)
    sides = [side for side in PYRAMID if side < min(difference.shape[2:])]
    # Averaging is linear, so the difference may be averaged in the place of both.
    squares = [
        difference.square().mean(),
        *(F.adaptive_avg_pool2d(difference, side).square().mean() for side in sides),
    ]
    weights = [0.5**level for level in range(len(squares))]
    weighted = [weight * square for weight, square in zip(weights, squares, strict=True)]
    return total(weighted) / sum(weights)


class Level(nn.Module):
    """Fuses a stage of the student with what the deeper ones left, and guesses a teacher's stage.

    Args:
        inputs: Channels of the student's stage.
        width: Channels of what is handed on.
        outputs: Channels of the teacher's stage.
        fuses: Whether there is a deeper level.
    """

    def __init__(self, *, inputs: int, width: int, outputs: int, fuses: bool) -> None:
        super().__init__()
        self.narrow = _normed(nn.Conv2d(inputs, width, 1, bias=False))
        self.guess = _normed(nn.Conv2d(width, outputs, 3, padding=1, bias=False))
        self.shares = nn.Conv2d(2 * width, 2, 1) if fuses else None

    def fused(self, features: Tensor, deeper: Tensor | None) -> Tensor:
        """[B, width, H, W]: each place decides how much of both it takes."""
        own: Tensor = self.narrow(features)
        if self.shares is None or deeper is None:
            return own
        handed = F.interpolate(deeper, size=own.shape[2:], mode="nearest")
        first, second = self.shares(torch.cat([own, handed], dim=1)).sigmoid().split(1, dim=1)
        both: Tensor = own * first + handed * second
        return both


class Review(Objective):
    """Guesses each of the teacher's stages from the student's own and all deeper ones.

    The pooled features are the deepest level, as in the authors' code.

    Departs from it: features after the activation, as backbones give them, not before it; maps of
    unequal size are averaged to the smaller, theirs are repeated or dropped to the teacher's size.
    Its warm-up of 20 epochs is a `weight` that rises: `{start: 0, end: 5, until: 0.083}`.
    """

    taps: ClassVar = frozenset({Tap.STAGES, Tap.POOLED})
    guidance_taps: ClassVar = frozenset({Tap.STAGES, Tap.POOLED})

    def __init__(
        self, *, pairs: tuple[StagePair, ...], pooled: tuple[int, int], width: int
    ) -> None:
        super().__init__()
        self.pairs = pairs
        deep_first = [
            pooled,
            *((pair.student.channels, pair.teacher.channels) for pair in reversed(pairs)),
        ]
        self.levels = nn.ModuleList(
            Level(inputs=inputs, width=width, outputs=outputs, fuses=level > 0)
            for level, (inputs, outputs) in enumerate(deep_first)
        )

    def forward(self, student: Views, guidance: Views | None, targets: Targets) -> Terms:  # noqa: ARG002
        """The distance, summed over the levels and averaged over the views."""
        return {"distance": mean(self._distance(*views) for views in paired(student, guidance))}

    def _distance(self, learner: Outputs, teacher: Outputs) -> Tensor:
        distances = []
        handed: Tensor | None = None
        for level, (mine, other) in zip(self.levels, self._maps(learner, teacher), strict=True):
            assert isinstance(level, Level)
            handed = level.fused(mine, handed)
            sized, expected = same_size(handed, other)
            distances.append(pyramid_distance(level.guess(sized), expected))
        return total(distances)

    def _maps(self, learner: Outputs, teacher: Outputs) -> list[tuple[Tensor, Tensor]]:
        mine, other = pooled(learner, teacher)
        return [
            (mine[:, :, None, None], other[:, :, None, None]),
            *(pair.maps(learner, teacher) for pair in reversed(self.pairs)),
        ]


class ReviewSettings(ObjectiveSettings):
    """All stages of the teacher, each from the student's own and all deeper ones.

    weight: about 5, after a warm-up, in the authors' tables.
    """

    kind: Literal["review"] = "review"
    stages: Pairing = "all"
    """Stages to compare, shallow first: "all", "middle", "last", or names: [[student's,
    teacher's], ...]."""
    most_width: PositiveInt = 512  # the authors'
    """Channels that are handed on from level to level: the student's pooled features, but no more
    than these."""

    def build(self, student: Shape, guidance: Shape | None, images: Tensor) -> Review:  # noqa: ARG002
        """Takes all widths from the shapes.

        Raises:
            UsageError: There is no teacher, or no stage of a name.
        """
        teacher = guided(guidance, self.kind)
        return Review(
            pairs=stage_pairs(self.stages, student=student, teacher=teacher, kind=self.kind),
            pooled=(student.pooled, teacher.pooled),
            width=min(student.pooled, self.most_width),
        )


def _normed(convolution: nn.Conv2d) -> nn.Sequential:
    nn.init.kaiming_uniform_(convolution.weight, a=1)  # the authors'
    return nn.Sequential(convolution, nn.BatchNorm2d(convolution.out_channels))
