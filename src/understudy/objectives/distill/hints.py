"""Hints, the teacher's inner features (FitNets; Romero et al., ICLR 2015, arXiv:1412.6550)."""

from typing import ClassVar, Literal

from torch import Tensor, nn

from understudy.core.types import Shape, Tap, Targets, Terms
from understudy.objectives.objective import Objective, ObjectiveSettings, Views, guided
from understudy.objectives.pairing import Pairing, StagePair, same_size, stage_pairs
from understudy.objectives.reading import mean, paired, precise, total


def hint_distance(guess: Tensor, hint: Tensor) -> Tensor:
    """The squared difference, averaged over all values of the maps and over the batch.

    Args:
        guess: What a regressor makes of the student's features, [B, C, H, W].
        hint: The teacher's features, [B, C, H, W].
    """
    return (precise(guess) - precise(hint)).square().mean()


class Hints(Objective):
    """Finds the teacher's features in the student's, through a regressor for each pair of stages.

    Departs from the paper: trained beside the other terms, not in a stage of its own before them;
    the mean over the values without 1/2, as in the usual tables. Departs from those: maps of
    unequal size are averaged to the smaller before a 1x1 convolution, which then serves any two
    sizes; and no relu after its batch norm, since features of other families are negative too.
    """

    taps: ClassVar = frozenset({Tap.STAGES})
    guidance_taps: ClassVar = frozenset({Tap.STAGES})

    def __init__(self, *, pairs: tuple[StagePair, ...]) -> None:
        super().__init__()
        self.pairs = pairs
        self.regressors = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(pair.student.channels, pair.teacher.channels, 1, bias=False),
                nn.BatchNorm2d(pair.teacher.channels),
            )
            for pair in pairs
        )

    def forward(self, student: Views, guidance: Views | None, targets: Targets) -> Terms:  # noqa: ARG002
        """The distance, summed over the pairs and averaged over the views."""
        losses = []
        for learner, teacher in paired(student, guidance):
            matched = [same_size(*pair.maps(learner, teacher)) for pair in self.pairs]
            losses.append(
                total(
                    hint_distance(regressor(mine), hint)
                    for regressor, (mine, hint) in zip(self.regressors, matched, strict=True)
                )
            )
        return {"distance": mean(losses)}


class HintsSettings(ObjectiveSettings):
    """The teacher's features at one stage or more.

    weight: 100 in the usual tables (RepDistiller).
    """

    kind: Literal["hints"] = "hints"
    stages: Pairing = "middle"  # the paper's, and stage 2 of 3 in the usual tables
    """Stages to compare: "all", "middle", "last", or names: [[student's, teacher's], ...]."""

    def build(self, student: Shape, guidance: Shape | None, images: Tensor) -> Hints:  # noqa: ARG002
        """Takes the widths from the stages.

        Raises:
            UsageError: There is no teacher, or no stage of a name.
        """
        teacher = guided(guidance, self.kind, Tap.STAGES)
        pairs = stage_pairs(self.stages, student=student, teacher=teacher, kind=self.kind)
        return Hints(pairs=pairs)
