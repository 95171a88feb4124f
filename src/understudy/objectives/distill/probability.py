"""Probabilistic knowledge transfer (PKT; Passalis and Tefas, ECCV 2018, arXiv:1803.10837)."""

from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from understudy.core.types import Shape, Tap, Targets, Terms
from understudy.objectives.objective import Objective, ObjectiveSettings, Views, guided
from understudy.objectives.reading import mean, paired, pooled_of_all

LEAST_AFFINITY = 1e-7  # the authors'; for images that look exactly opposite ways


def neighbourhood(features: Tensor) -> Tensor:
    """How likely each image is to choose each other one as its neighbour.

    Args:
        features: [B, D], of any length.

    Returns:
        [B, B]: (cosine + 1) / 2, divided by the sum of the row; zero for an image itself.
    """
    # Autocast would compute the product in half precision, whatever its inputs are.
    with torch.autocast(features.device.type, enabled=False):
        embeddings = F.normalize(features, dim=1)
        cosines = embeddings @ embeddings.T
    itself = torch.eye(len(features), dtype=torch.bool, device=features.device)
    affinities = ((cosines + 1) / 2).clamp(min=LEAST_AFFINITY).masked_fill(itself, 0)
    return affinities / affinities.sum(dim=1, keepdim=True).clamp(min=LEAST_AFFINITY)


def neighbourhood_divergence(student: Tensor, teacher: Tensor) -> Tensor:
    """KL(teacher || student) between the neighbourhoods of the images of a batch.

    Args:
        student: [B, D].
        teacher: [B, D'].

    Returns:
        Summed over the neighbours and averaged over the images.
    """
    mine, other = neighbourhood(student), neighbourhood(teacher)
    itself = torch.eye(len(mine), dtype=torch.bool, device=mine.device)
    ratios = other.masked_fill(itself, 1).log() - mine.masked_fill(itself, 1).log()
    return (other * ratios).sum(dim=1).mean()


class Probability(Objective):
    """Gives each image the neighbours that it has for the teacher.

    Departs from the authors' code, as their paper has it: an image is not its
    own neighbour; and the mean is taken over the images, not over all pairs, which weakens the
    term as batches grow. Their 30000 is about 30000 / B here. Where several processes train
    together, the images of all of them are neighbours.
    """

    taps: ClassVar = frozenset({Tap.POOLED})
    guidance_taps: ClassVar = frozenset({Tap.POOLED})

    def forward(self, student: Views, guidance: Views | None, targets: Targets) -> Terms:  # noqa: ARG002
        """The divergence, averaged over the views."""
        return {
            "divergence": mean(
                neighbourhood_divergence(*pooled_of_all(*views))
                for views in paired(student, guidance)
            )
        }


class ProbabilitySettings(ObjectiveSettings):
    """Which images of a batch are neighbours, as probabilities.

    weight: the usual tables' 30000 is divided by the batch size here: 470 at 64 images, 230 at 128.
    """

    kind: Literal["probability"] = "probability"

    def build(self, student: Shape, guidance: Shape | None, images: Tensor) -> Probability:  # noqa: ARG002
        """Needs a teacher of any width.

        Raises:
            UsageError: There is no teacher.
        """
        guided(guidance, self.kind, Tap.POOLED)
        return Probability()
