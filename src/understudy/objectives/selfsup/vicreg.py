"""Variance, invariance, covariance (VICReg; Bardes et al., ICLR 2022, arXiv:2105.04906)."""

from itertools import combinations
from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from pydantic import NonNegativeFloat
from torch import Tensor

from understudy.core.types import Shape, Tap, Targets, Terms
from understudy.objectives.objective import Objective, ObjectiveSettings, Views
from understudy.objectives.reading import given, mean, precise
from understudy.objectives.together import gathered

LEAST_VARIANCE = 1e-4  # the authors'


def lacking_deviation(features: Tensor) -> Tensor:
    """How much the features' standard deviation over the batch lacks of one.

    Args:
        features: [B, P].

    Returns:
        The mean over the features, 0 to 0.99: a feature that is the same for all images has a
        deviation of 0.01.
    """
    return F.relu(1 - (features.var(dim=0) + LEAST_VARIANCE).sqrt()).mean()


def covariance(features: Tensor) -> Tensor:
    """The squared covariances of different features over the batch.

    Args:
        features: [B, P].

    Returns:
        Their sum, divided by the number of features.
    """
    centred = features - features.mean(dim=0)
    all_pairs = centred.T @ centred / (len(features) - 1)
    same = torch.eye(len(all_pairs), dtype=torch.bool, device=features.device)
    return all_pairs.masked_fill(same, 0).square().sum() / len(all_pairs)


class Vicreg(Objective):
    """Brings two views together, and keeps the features spread and unlike each other.

    As in the authors' code, the variance is averaged over the two views and the covariance added
    up; their paper adds up both. With more than two views, the mean over all pairs of views. Where
    several processes train together, variance and covariance are those of all their images.
    """

    taps: ClassVar = frozenset({Tap.PROJECTED})
    views = 2

    def __init__(self, *, invariance: float, variance: float, covariance: float) -> None:
        super().__init__()
        self.invariance, self.variance, self.covariance = invariance, variance, covariance

    def forward(self, student: Views, guidance: Views | None, targets: Targets) -> Terms:  # noqa: ARG002
        """The three parts, each with its factor."""
        views = [precise(given(view.projected)) for view in student]
        distances = [F.mse_loss(first, second) for first, second in combinations(views, 2)]
        everywhere = [gathered(view) for view in views]
        # Autocast would compute the products in half precision, whatever the inputs are.
        with torch.autocast(views[0].device.type, enabled=False):
            spreads = [lacking_deviation(view) for view in everywhere]
            overlaps = [covariance(view) for view in everywhere]
        return {
            "invariance": self.invariance * mean(distances),
            "variance": self.variance * mean(spreads),
            "covariance": self.covariance * 2 * mean(overlaps),
        }


class VicregSettings(ObjectiveSettings):
    """The loss of VICReg: needs two views, and a projector that does not end in batch norm."""

    kind: Literal["vicreg"] = "vicreg"
    invariance: NonNegativeFloat = 25.0  # the authors'
    """Factor of the distance between the views."""
    variance: NonNegativeFloat = 25.0  # the authors'
    """Factor of what the features' deviation lacks of one."""
    covariance: NonNegativeFloat = 1.0  # the authors'
    """Factor of the squared covariances of different features."""

    def build(self, student: Shape, guidance: Shape | None, images: Tensor) -> Vicreg:  # noqa: ARG002
        """Needs a student with a projector."""
        return Vicreg(
            invariance=self.invariance, variance=self.variance, covariance=self.covariance
        )
