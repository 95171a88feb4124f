"""Similarity-preserving distillation (SP; Tung and Mori, ICCV 2019, arXiv:1907.09682)."""

from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from understudy.core.types import Outputs, Shape, Tap, Targets, Terms
from understudy.objectives.objective import Objective, ObjectiveSettings, Views, guided
from understudy.objectives.pairing import Pairing, StagePair, stage_pairs
from understudy.objectives.reading import mean, paired, pooled_of_all, precise, total
from understudy.objectives.together import gathered


def similarities(features: Tensor) -> Tensor:
    """Products of each image's features with all images', each image's row of length 1.

    Args:
        features: [B, D].

    Returns:
        [B, B].
    """
    # Autocast would compute the product in half precision, whatever its inputs are.
    with torch.autocast(features.device.type, enabled=False):
        return F.normalize(features @ features.T, dim=1)


def similarity_distance(student: Tensor, teacher: Tensor) -> Tensor:
    """The squared difference between the similarities of two networks.

    Args:
        student: [B, D].
        teacher: [B, D'].

    Returns:
        Summed over each image's row and averaged over the images; at most 4.
    """
    return (similarities(student) - similarities(teacher)).square().sum(dim=1).mean()


class Similarity(Objective):
    """Finds those images similar that the teacher finds similar, at each pair of stages.

    Departs from the paper: divided by the number of images once, as each row has length 1; the
    paper divides twice, which weakens the term as batches grow. Its 3000 is 3000 / B here. Where
    several processes train together, the images of all of them are compared.
    """

    taps: ClassVar = frozenset({Tap.STAGES})
    guidance_taps: ClassVar = frozenset({Tap.STAGES})

    def __init__(self, *, pairs: tuple[StagePair, ...]) -> None:
        super().__init__()
        self.pairs = pairs

    def forward(self, student: Views, guidance: Views | None, targets: Targets) -> Terms:  # noqa: ARG002
        """The distance, summed over the pairs and averaged over the views."""
        return {
            "distance": mean(
                total(_distance(pair, learner, teacher) for pair in self.pairs)
                for learner, teacher in paired(student, guidance)
            )
        }


class PooledSimilarity(Objective):
    """As `Similarity`, of the pooled features, which banks hold and every network gives."""

    taps: ClassVar = frozenset({Tap.POOLED})
    guidance_taps: ClassVar = frozenset({Tap.POOLED})

    def forward(self, student: Views, guidance: Views | None, targets: Targets) -> Terms:  # noqa: ARG002
        """The distance, averaged over the views."""
        return {
            "distance": mean(
                similarity_distance(*pooled_of_all(*views)) for views in paired(student, guidance)
            )
        }


class SimilaritySettings(ObjectiveSettings):
    """Which images of a batch are similar.

    weight: the usual tables' 3000 is divided by the batch size here: 47 at 64 images, 23 at 128.
    """

    kind: Literal["similarity"] = "similarity"
    stages: Pairing | Literal["pooled"] = "last"  # the paper's for CIFAR-10, and the usual tables'
    """Stages to compare: "all", "middle", "last", or names: [[student's, teacher's], ...]; or
    "pooled": the features behind the last one, which a bank holds too."""

    def build(
        self,
        student: Shape,
        guidance: Shape | None,
        images: Tensor,  # noqa: ARG002
    ) -> Similarity | PooledSimilarity:
        """Needs stages in both, of any width and size; or pooled features.

        Raises:
            UsageError: There is no teacher, or no stage of a name.
        """
        if self.stages == "pooled":
            guided(guidance, self.kind, Tap.POOLED)
            return PooledSimilarity()
        teacher = guided(guidance, self.kind, Tap.STAGES)
        pairs = stage_pairs(self.stages, student=student, teacher=teacher, kind=self.kind)
        return Similarity(pairs=pairs)


def _distance(pair: StagePair, learner: Outputs, teacher: Outputs) -> Tensor:
    mine, other = (gathered(precise(maps).flatten(1)) for maps in pair.maps(learner, teacher))
    return similarity_distance(mine, other)
