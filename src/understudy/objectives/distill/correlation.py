"""Correlation congruence (CC; Peng et al., ICCV 2019, arXiv:1904.01802)."""

import math
from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from pydantic import PositiveFloat, PositiveInt
from torch import Tensor

from understudy.core.types import Shape, Tap, Targets, Terms
from understudy.objectives.objective import Objective, ObjectiveSettings, Views, guided
from understudy.objectives.reading import mean, paired, pooled_of_all


def correlations(features: Tensor, gamma: float, order: int) -> Tensor:
    """A Gaussian kernel between the directions of images, as the beginning of its Taylor series.

    Args:
        features: [B, D], of any length.
        gamma: Of exp(-gamma x distance²).
        order: The highest power of the cosine; the series approaches the kernel as it grows.

    Returns:
        [B, B]: the sum over p of exp(-2 gamma) (2 gamma)^p / p! cosine^p.
    """
    # Autocast would compute the product in half precision, whatever its inputs are.
    with torch.autocast(features.device.type, enabled=False):
        directions = F.normalize(features, dim=1)
        cosines = directions @ directions.T
    terms = [(2 * gamma) ** p / math.factorial(p) * cosines**p for p in range(1, order + 1)]
    return math.exp(-2 * gamma) * (1 + torch.stack(terms).sum(dim=0))


def correlation_distance(student: Tensor, teacher: Tensor, gamma: float, order: int) -> Tensor:
    """The squared difference between the correlations of two networks.

    Args:
        student: [B, D].
        teacher: [B, D'].
        gamma: As in `correlations`.
        order: As in `correlations`.

    Returns:
        Averaged over all pairs of two images; zero where there is none.
    """
    size = len(student)
    difference = correlations(student, gamma, order) - correlations(teacher, gamma, order)
    # An image is as near to itself in both: the diagonal adds nothing.
    return difference.square().sum() / max(size * (size - 1), 1)


class Correlation(Objective):
    """Correlates the images of a batch as the teacher does.

    Departs from the paper: the pooled features are compared as they are, since correlations need
    no equal widths, not after a linear layer of each network; the mean runs over pairs of two
    images, not also over an image with itself. The usual tables hold another formula under this
    name (products of the absolute differences between student and teacher of neighbours in the
    batch, which one can make zero through the teacher's own learned layer); their weight 0.02
    belongs to that. Where several processes train together, the images of all of them correlate.
    """

    taps: ClassVar = frozenset({Tap.POOLED})
    guidance_taps: ClassVar = frozenset({Tap.POOLED})

    def __init__(self, *, gamma: float, order: int) -> None:
        super().__init__()
        self.gamma, self.order = gamma, order

    def forward(self, student: Views, guidance: Views | None, targets: Targets) -> Terms:  # noqa: ARG002
        """The distance, averaged over the views."""
        return {
            "distance": mean(
                correlation_distance(*pooled_of_all(*views), self.gamma, self.order)
                for views in paired(student, guidance)
            )
        }


class CorrelationSettings(ObjectiveSettings):
    """How the images of a batch correlate, under a Gaussian kernel.

    weight: none is established; the usual tables' 0.02 belongs to another formula.
    """

    kind: Literal["correlation"] = "correlation"
    gamma: PositiveFloat = 0.4  # torchdistill's, after the paper
    """Of the kernel exp(-gamma x distance²); the larger, the nearer images must be to count."""
    order: PositiveInt = 2  # torchdistill's, after the paper
    """How far the kernel's Taylor series is taken."""

    def build(self, student: Shape, guidance: Shape | None, images: Tensor) -> Correlation:  # noqa: ARG002
        """Needs a teacher of any width.

        Raises:
            UsageError: There is no teacher.
        """
        guided(guidance, self.kind, Tap.POOLED)
        return Correlation(gamma=self.gamma, order=self.order)
