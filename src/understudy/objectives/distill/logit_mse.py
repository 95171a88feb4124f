"""Logit matching (Ba & Caruana 2014, arXiv:1312.6184; Kim et al., IJCAI 2021, arXiv:2105.08919)."""

from typing import ClassVar, Literal

import torch.nn.functional as F
from torch import Tensor

from understudy.core.types import Shape, Tap, Targets, Terms
from understudy.objectives.objective import Objective, ObjectiveSettings, Views
from understudy.objectives.reading import mean, paired_logits


def logit_distance(student: Tensor, teacher: Tensor) -> Tensor:
    """The squared distance between logits.

    Args:
        student: Logits, [B, K].
        teacher: Logits, [B, K].

    Returns:
        The mean over batch and classes, as the authors' code has it; the paper's formula sums over
        the classes, K times as much. Of logits with equal means, it is twice what the softened
        divergence tends to at a high temperature.
    """
    return F.mse_loss(student, teacher)


class LogitMse(Objective):
    """Learns the teacher's logits themselves, their size and their mean included."""

    taps: ClassVar = frozenset({Tap.LOGITS})
    guidance_taps: ClassVar = frozenset({Tap.LOGITS})

    def forward(self, student: Views, guidance: Views | None, targets: Targets) -> Terms:  # noqa: ARG002
        """The squared distance, averaged over the views; each has the teacher's answer to it."""
        return {
            "distance": mean(logit_distance(*logits) for logits in paired_logits(student, guidance))
        }


class LogitMseSettings(ObjectiveSettings):
    """The mean squared distance between logits.

    weight: 1 in the paper, alone, without `label`.
    """

    kind: Literal["logit_mse"] = "logit_mse"

    def build(self, student: Shape, guidance: Shape | None, images: Tensor) -> LogitMse:  # noqa: ARG002
        """Needs classifiers of the same classes in student and teacher."""
        return LogitMse()
