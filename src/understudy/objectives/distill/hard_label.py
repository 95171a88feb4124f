"""Pseudo-labels, where the teacher is sure (Lee 2013; Sohn et al. 2020, arXiv:2001.07685)."""

from typing import Annotated, ClassVar, Literal

import torch.nn.functional as F
from pydantic import Field
from torch import Tensor

from understudy.core.types import Shape, Tap, Targets, Terms
from understudy.objectives.objective import Objective, ObjectiveSettings, Views
from understudy.objectives.reading import mean, paired_logits


def hard_label_cross_entropy(student: Tensor, teacher: Tensor, threshold: float) -> Tensor:
    """Cross-entropy with the teacher's likeliest class.

    Args:
        student: Logits, [B, K].
        teacher: Logits, [B, K].
        threshold: Images on which the teacher is less sure than this count as zero.

    Returns:
        The mean over the whole batch, so that a doubting teacher moves the student less (FixMatch,
        Sohn et al. 2020, arXiv:2001.07685, equation 4).
    """
    confidence, label = teacher.softmax(dim=1).max(dim=1)
    losses = F.cross_entropy(student, label, reduction="none")
    return (losses * (confidence >= threshold)).mean()


class HardLabel(Objective):
    """Learns the teacher's decisions and nothing of its doubts."""

    taps: ClassVar = frozenset({Tap.LOGITS})
    guidance_taps: ClassVar = frozenset({Tap.LOGITS})

    def __init__(self, *, threshold: float) -> None:
        super().__init__()
        self.threshold = threshold

    def forward(self, student: Views, guidance: Views | None, targets: Targets) -> Terms:  # noqa: ARG002
        """The cross-entropy, averaged over the views; each has the teacher's answer to it."""
        losses = [
            hard_label_cross_entropy(*logits, self.threshold)
            for logits in paired_logits(student, guidance)
        ]
        return {"cross_entropy": mean(losses)}


class HardLabelSettings(ObjectiveSettings):
    """Cross-entropy with the teacher's likeliest class."""

    kind: Literal["hard_label"] = "hard_label"
    threshold: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Probability from which on the teacher is believed; 0: always."""

    def build(self, student: Shape, guidance: Shape | None, images: Tensor) -> HardLabel:  # noqa: ARG002
        """Needs classifiers of the same classes in student and teacher."""
        return HardLabel(threshold=self.threshold)
