"""Attention transfer (Zagoruyko and Komodakis, ICLR 2017, arXiv:1612.03928)."""

from typing import Annotated, ClassVar, Literal

import torch.nn.functional as F
from pydantic import Field
from torch import Tensor

from understudy.core.errors import UsageError
from understudy.core.types import Outputs, Shape, Tap, Targets, Terms
from understudy.objectives.objective import Objective, ObjectiveSettings, Views, guided
from understudy.objectives.pairing import Pairing, StagePair, same_size, stage_pairs
from understudy.objectives.reading import mean, paired, precise, total


def attention(maps: Tensor, power: float) -> Tensor:
    """Where a map is strong: the mean over the channels of |value|^power, of length 1.

    Args:
        maps: [B, C, H, W].
        power: The larger, the more the strongest channel of a place counts.

    Returns:
        [B, H x W], each image of Euclidean length 1.
    """
    return F.normalize(maps.abs().pow(power).mean(dim=1).flatten(1), dim=1)


def attention_distance(student: Tensor, teacher: Tensor, power: float) -> Tensor:
    """The squared difference of two attentions, averaged over places and batch.

    Args:
        student: [B, C, H, W].
        teacher: [B, C', H, W].
        power: As in `attention`.
    """
    return (attention(student, power) - attention(teacher, power)).square().mean()


class Attention(Objective):
    """Looks where the teacher looks, at each pair of stages; the pairs are added up.

    Departs from the paper, as its authors' code does: the square of the distance, averaged over
    the places, and no 1/2. So the value falls as the number of places grows, for an attention of
    length 1 is spread over them. Maps of unequal size are averaged to the smaller.
    """

    taps: ClassVar = frozenset({Tap.STAGES})
    guidance_taps: ClassVar = frozenset({Tap.STAGES})

    def __init__(self, *, pairs: tuple[StagePair, ...], power: float) -> None:
        super().__init__()
        self.pairs, self.power = pairs, power

    def forward(self, student: Views, guidance: Views | None, targets: Targets) -> Terms:  # noqa: ARG002
        """The distance, summed over the pairs and averaged over the views."""
        losses = [
            total(self._distance(pair, learner, teacher) for pair in self.pairs)
            for learner, teacher in paired(student, guidance)
        ]
        return {"distance": mean(losses)}

    def _distance(self, pair: StagePair, learner: Outputs, teacher: Outputs) -> Tensor:
        mine, other = same_size(*map(precise, pair.maps(learner, teacher)))
        if mine.shape[2:].numel() == 1:
            raise UsageError(
                f"Objective 'attention' compares where stages look, but {pair.student.name!r} of "
                f"the student and {pair.teacher.name!r} of the teacher meet in a single place. "
                "Name stages with larger maps in `stages`, or use larger images."
            )
        return attention_distance(mine, other, self.power)


class AttentionSettings(ObjectiveSettings):
    """Where each stage looks; weight: 1000 in the usual tables (RepDistiller), at 32 pixels.

    An image of half the side needs a quarter of it, of a quarter the sixteenth part: 62 at 8
    pixels, where 1000 outweighs the labels many times over.
    """

    kind: Literal["attention"] = "attention"
    stages: Pairing = "all"
    """Stages to compare: "all", "middle", "last", or names: [[student's, teacher's], ...]."""
    power: Annotated[float, Field(ge=1)] = 2.0  # the authors'
    """Of the values before they are averaged over the channels; the higher, the more peaked."""

    def build(self, student: Shape, guidance: Shape | None, images: Tensor) -> Attention:  # noqa: ARG002
        """Needs stages in both.

        Raises:
            UsageError: There is no teacher, or no stage of a name.
        """
        teacher = guided(guidance, self.kind, Tap.STAGES)
        pairs = stage_pairs(self.stages, student=student, teacher=teacher, kind=self.kind)
        return Attention(pairs=pairs, power=self.power)
