"""The simple recipe (SRD; Miles and Mikolajczyk, AAAI 2024, arXiv:2303.11098).

A linear projector and a soft maximum of the errors, from "Understanding the role of the projector
in knowledge distillation".
"""

from typing import Annotated, ClassVar, Literal

from pydantic import Field
from torch import Tensor, nn

from understudy.core.types import Shape, Tap, Targets, Terms
from understudy.objectives.objective import Objective, ObjectiveSettings, Views, guided
from understudy.objectives.reading import mean, paired, pooled, precise
from understudy.objectives.together import gathered

LEAST_VARIANCE = 1e-5  # as PyTorch's batch norm
LEAST_ERROR = 1e-12  # of a sum of powers, whose logarithm is taken


def standardised(features: Tensor) -> Tensor:
    """Each feature with mean 0 and variance 1 over the batch: batch norm without its parameters.

    Args:
        features: [B, D].
    """
    centred = features - features.mean(dim=0)
    return centred / (centred.square().mean(dim=0) + LEAST_VARIANCE).sqrt()


def soft_maximum_error(student: Tensor, teacher: Tensor, power: float) -> Tensor:
    """The logarithm of the sum of |error|^power between standardised features.

    The higher the power, the more the largest errors decide; the logarithm makes the gradient's
    size independent of the errors' scale.

    Args:
        student: [B, D].
        teacher: [B, D].
        power: Of the absolute errors.

    Returns:
        The logarithm of the sum over the features, averaged over the batch within it.
    """
    errors = (standardised(student) - standardised(teacher)).abs()
    return errors.pow(power).sum(dim=1).mean().clamp(min=LEAST_ERROR).log()


class Projection(Objective):
    """Projects the student's pooled features, linearly, onto the teacher's.

    Departs from the authors' code: the mean over the batch within the logarithm, theirs is a sum:
    larger by log B, with the same gradient. The projector has no bias, which standardising would
    take away; and both sides are standardised by their batch alone, there being no other mode.
    Where several processes train together, by the batch of all of them.
    """

    taps: ClassVar = frozenset({Tap.POOLED})
    guidance_taps: ClassVar = frozenset({Tap.POOLED})

    def __init__(self, *, projector: nn.Linear, power: float) -> None:
        super().__init__()
        self.projector, self.power = projector, power

    def forward(self, student: Views, guidance: Views | None, targets: Targets) -> Terms:  # noqa: ARG002
        """The soft maximum, averaged over the views."""
        losses = []
        for views in paired(student, guidance):
            mine, other = pooled(*views)
            guess = gathered(precise(self.projector(mine)))
            losses.append(soft_maximum_error(guess, gathered(other), self.power))
        return {"error": mean(losses)}


class ProjectionSettings(ObjectiveSettings):
    """The teacher's pooled features through a linear projector; the largest errors count most.

    weight: 2 in the authors' code for ImageNet, beside a soft label. It may fall below zero.
    """

    kind: Literal["projection"] = "projection"
    power: Annotated[float, Field(ge=1, le=16)] = 4.0  # the authors'
    """Of the errors; the higher, the more the largest of them decide."""

    def build(self, student: Shape, guidance: Shape | None, images: Tensor) -> Projection:  # noqa: ARG002
        """Takes both widths from the shapes.

        Raises:
            UsageError: There is no teacher.
        """
        teacher = guided(guidance, self.kind, Tap.POOLED)
        projector = nn.Linear(student.pooled, teacher.pooled, bias=False)
        return Projection(projector=projector, power=self.power)
