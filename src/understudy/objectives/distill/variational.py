"""Variational information distillation (VID; Ahn et al., CVPR 2019, arXiv:1904.05835)."""

import math
from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from pydantic import PositiveFloat
from torch import Tensor, nn

from understudy.core.types import Outputs, Shape, Tap, Targets, Terms
from understudy.objectives.objective import Objective, ObjectiveSettings, Views, guided
from understudy.objectives.pairing import Pairing, StagePair, same_size, stage_pairs
from understudy.objectives.reading import mean, paired, precise, total

LEAST_VARIANCE = 1e-5  # the authors'


def gaussian_surprise(guess: Tensor, features: Tensor, variance: Tensor) -> Tensor:
    """The negative logarithm of a Gaussian density at the teacher's features, less a constant.

    Its mean is a bound on the information that the student has of them.

    Args:
        guess: The Gaussian's mean, [B, C, H, W].
        features: The teacher's, [B, C, H, W].
        variance: Of each channel, [C], above zero.

    Returns:
        (difference² / variance + log variance) / 2, averaged over all values and the batch; the
        constant log(2 pi) / 2 is left out.
    """
    spread = precise(variance)[:, None, None]
    errors = (precise(guess) - precise(features)).square()
    return (errors / spread + spread.log()).mean() / 2


class Guess(nn.Module):
    """A Gaussian over the teacher's features: a mean for each place, a variance for each channel.

    Args:
        pair: The stages, whose widths it takes.
        variance: What each channel begins with.
    """

    def __init__(self, pair: StagePair, *, variance: float) -> None:
        super().__init__()
        inputs, outputs = pair.student.channels, pair.teacher.channels
        self.mean = nn.Sequential(
            nn.Conv2d(inputs, outputs, 1, bias=False),
            nn.ReLU(),
            nn.Conv2d(outputs, outputs, 1, bias=False),
            nn.ReLU(),
            nn.Conv2d(outputs, outputs, 1, bias=False),
        )
        before_softplus = math.log(math.expm1(variance - LEAST_VARIANCE))
        self.spread = nn.Parameter(torch.full((outputs,), before_softplus))

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Mean [B, C', H, W] and variance [C'] of the teacher's features."""
        return self.mean(features), F.softplus(self.spread) + LEAST_VARIANCE


class Variational(Objective):
    """Makes the teacher's features likely, given the student's; the pairs of stages are added up.

    Departs from the paper: the mean over the values of a map, as in the usual tables, so that
    stages count alike; features alone, no logits. Departs from those: maps of unequal size are
    averaged to the smaller in each of both sides.
    """

    taps: ClassVar = frozenset({Tap.STAGES})
    guidance_taps: ClassVar = frozenset({Tap.STAGES})

    def __init__(self, *, pairs: tuple[StagePair, ...], variance: float) -> None:
        super().__init__()
        self.pairs = pairs
        self.guesses = nn.ModuleList(Guess(pair, variance=variance) for pair in pairs)

    def forward(self, student: Views, guidance: Views | None, targets: Targets) -> Terms:  # noqa: ARG002
        """The surprise, summed over the pairs and averaged over the views."""
        return {
            "surprise": mean(self._surprise(*views) for views in paired(student, guidance)),
        }

    def _surprise(self, learner: Outputs, teacher: Outputs) -> Tensor:
        surprises = []
        for pair, guess in zip(self.pairs, self.guesses, strict=True):
            mine, other = same_size(*pair.maps(learner, teacher))
            expected, variance = guess(mine)
            surprises.append(gaussian_surprise(expected, other, variance))
        return total(surprises)


class VariationalSettings(ObjectiveSettings):
    """How likely the teacher's features are, given the student's.

    weight: 1 in the usual tables (RepDistiller). It may fall below zero.
    """

    kind: Literal["variational"] = "variational"
    stages: Pairing = "all"
    """Stages to compare: "all", "middle", "last", or names: [[student's, teacher's], ...]."""
    variance: PositiveFloat = 5.0  # the authors'
    """Of each of the teacher's channels at the beginning; it is learned."""

    def build(self, student: Shape, guidance: Shape | None, images: Tensor) -> Variational:  # noqa: ARG002
        """Takes the widths from the stages.

        Raises:
            UsageError: There is no teacher, or no stage of a name.
        """
        teacher = guided(guidance, self.kind, Tap.STAGES)
        pairs = stage_pairs(self.stages, student=student, teacher=teacher, kind=self.kind)
        return Variational(pairs=pairs, variance=self.variance)
