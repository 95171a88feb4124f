"""Redundancy reduction, the loss of Barlow Twins (Zbontar et al., ICML 2021, arXiv:2103.03230)."""

from itertools import combinations
from typing import ClassVar, Literal

import torch
from pydantic import PositiveFloat
from torch import Tensor

from understudy.core.types import Shape, Tap, Targets, Terms
from understudy.objectives.objective import Objective, ObjectiveSettings, Views
from understudy.objectives.reading import given, mean, precise
from understudy.objectives.together import gathered

LEAST_VARIANCE = 1e-5  # the authors', who let PyTorch's batch norm standardise


def cross_correlation(first: Tensor, second: Tensor) -> Tensor:
    """How each feature of one view goes with each feature of the other, over the batch.

    Args:
        first: Features of one view, [B, P].
        second: Of the other view of the same images, [B, P].

    Returns:
        [P, P], in [-1, 1]; near zero for a feature that is the same for all images.
    """
    return _standardised(first).T @ _standardised(second) / len(first)


def _standardised(features: Tensor) -> Tensor:
    centred = features - features.mean(dim=0)
    return centred * (centred.square().mean(dim=0) + LEAST_VARIANCE).rsqrt()


def redundancy(correlation: Tensor) -> tuple[Tensor, Tensor]:
    """How far a cross-correlation is from the identity.

    Args:
        correlation: [P, P].

    Returns:
        The squared distance of its diagonal from one, summed, and that of all else from zero.
    """
    diagonal = torch.eye(len(correlation), dtype=torch.bool, device=correlation.device)
    return (
        (correlation.diagonal() - 1).square().sum(),
        correlation.masked_fill(diagonal, 0).square().sum(),
    )


class RedundancyReduction(Objective):
    """Makes each feature the same for both views of an image, and unlike all other features.

    With more than two views, the mean over all pairs of views. Where several processes train
    together, features are standardised and compared over the images of all of them. The authors
    add up the processes' matrices by an operation that sends no gradient across.
    """

    taps: ClassVar = frozenset({Tap.PROJECTED})
    views = 2

    def __init__(self, *, redundant: float) -> None:
        super().__init__()
        self.redundant = redundant

    def forward(self, student: Views, guidance: Views | None, targets: Targets) -> Terms:  # noqa: ARG002
        """Both parts for each pair of views, averaged; the second one weighted."""
        views = [gathered(precise(given(view.projected))) for view in student]
        # Autocast would compute the product in half precision, whatever its inputs are.
        with torch.autocast(views[0].device.type, enabled=False):
            parts = [redundancy(cross_correlation(*pair)) for pair in combinations(views, 2)]
        same, redundant = zip(*parts, strict=True)
        return {"invariance": mean(same), "redundancy": self.redundant * mean(redundant)}


class RedundancyReductionSettings(ObjectiveSettings):
    """The loss of Barlow Twins: needs two views of each image, and compares no two images."""

    kind: Literal["redundancy_reduction"] = "redundancy_reduction"
    redundant: PositiveFloat = 0.0051  # the authors', at 8192 features
    """Factor of the redundancy, beside the invariance."""

    def build(
        self,
        student: Shape,  # noqa: ARG002
        guidance: Shape | None,  # noqa: ARG002
        images: Tensor,  # noqa: ARG002
    ) -> RedundancyReduction:
        """Needs a student with a projector."""
        return RedundancyReduction(redundant=self.redundant)
