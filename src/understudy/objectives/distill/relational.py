"""Relational knowledge distillation (RKD; Park et al., CVPR 2019, arXiv:1904.05068)."""

from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from pydantic import NonNegativeFloat
from torch import Tensor

from understudy.core.types import Shape, Tap, Targets, Terms
from understudy.objectives.objective import Objective, ObjectiveSettings, Views, guided
from understudy.objectives.reading import mean, paired, pooled_of_all


def relations(features: Tensor) -> tuple[Tensor, Tensor]:
    """How the images of a batch lie to each other.

    Args:
        features: [B, D].

    Returns:
        Distances [B, B], divided by their mean over all pairs of two images; and angles
        [B, B, B]: the cosine at image i (the first index) between the ways to images j and k.
        Ways of length zero have distance and cosine 0.
    """
    size = len(features)
    ways = features[None] - features[:, None]
    squares = ways.square().sum(dim=2)
    apart = squares > 0
    # The root of zero has no gradient, and a way of length zero no direction.
    lengths = torch.where(apart, squares, 1.0).sqrt()
    distances = lengths * apart
    average = distances.sum() / max(size * (size - 1), 1)
    directions = ways / lengths[:, :, None]
    # Autocast would compute the product in half precision, whatever its inputs are.
    with torch.autocast(features.device.type, enabled=False):
        cosines = directions @ directions.transpose(1, 2)
    return distances / torch.where(average > 0, average, 1.0), cosines


def relation_losses(student: Tensor, teacher: Tensor) -> tuple[Tensor, Tensor]:
    """How far two networks differ in the distances and in the angles between images.

    Args:
        student: [B, D].
        teacher: [B, D'].

    Returns:
        The Huber loss (delta 1) between the distances, averaged over all pairs of two images, and
        between the cosines, averaged over all triplets of three. Zero where there is none.
    """
    size = len(student)
    distances, angles = (
        F.smooth_l1_loss(mine, other, reduction="sum")
        for mine, other in zip(relations(student), relations(teacher), strict=True)
    )
    # What repeats an image is equal on both sides and adds nothing: a distance of 0 to itself, a
    # way of length zero, and the cosine 1 of a way with itself.
    return (
        distances / max(size * (size - 1), 1),
        angles / max(size * (size - 1) * (size - 2), 1),
    )


class Relational(Objective):
    """Places the images of a batch to each other as the teacher does.

    Departs from the authors' code: the means run over pairs of two and triplets of three different
    images, not also over repeated ones, so they are B / (B - 1) and B² / ((B - 1)(B - 2)) times
    theirs; and the distances are divided by their mean over all pairs, not over those above zero.
    Where several processes train together, the images of all of them are compared.
    """

    taps: ClassVar = frozenset({Tap.POOLED})
    guidance_taps: ClassVar = frozenset({Tap.POOLED})

    def __init__(self, *, distance: float, angle: float) -> None:
        super().__init__()
        self.distance, self.angle = distance, angle

    def forward(self, student: Views, guidance: Views | None, targets: Targets) -> Terms:  # noqa: ARG002
        """Both parts with their factors, averaged over the views."""
        losses = [relation_losses(*pooled_of_all(*views)) for views in paired(student, guidance)]
        distances, angles = zip(*losses, strict=True)
        return {"distance": self.distance * mean(distances), "angle": self.angle * mean(angles)}


class RelationalSettings(ObjectiveSettings):
    """Distances and angles between the images of a batch.

    weight: 1 in the usual tables (RepDistiller), beside the factors below.
    """

    kind: Literal["relational"] = "relational"
    distance: NonNegativeFloat = 25.0  # of the usual tables
    """Factor of the distances between two images."""
    angle: NonNegativeFloat = 50.0  # of the usual tables; the paper: twice that of the distances
    """Factor of the angles between three images."""

    def build(self, student: Shape, guidance: Shape | None, images: Tensor) -> Relational:  # noqa: ARG002
        """Needs a teacher of any width.

        Raises:
            UsageError: There is no teacher.
        """
        guided(guidance, self.kind, Tap.POOLED)
        return Relational(distance=self.distance, angle=self.angle)
