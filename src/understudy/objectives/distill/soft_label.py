"""Soft labels: the teacher's softened probabilities (Hinton et al. 2015, arXiv:1503.02531)."""

from typing import ClassVar, Literal

import torch.nn.functional as F
from pydantic import PositiveFloat
from torch import Tensor

from understudy.core.types import Shape, Tap, Targets, Terms
from understudy.objectives.objective import Objective, ObjectiveSettings, Views
from understudy.objectives.reading import given, mean, paired, precise


def soft_label_divergence(student: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    """KL(teacher || student) of the softened probabilities, times temperature².

    The square keeps the size of the gradient while the temperature changes. PyTorch's `kl_div`
    takes the arguments the other way round: its first is the student.

    Args:
        student: Logits, [B, K].
        teacher: Logits, [B, K].
        temperature: Divides both; above zero.

    Returns:
        Summed over the classes and averaged over the batch: not over batch x classes, which would
        weaken it with their number.
    """
    divergence = F.kl_div(
        F.log_softmax(student / temperature, dim=1),
        F.log_softmax(teacher / temperature, dim=1),
        reduction="batchmean",
        log_target=True,
    )
    return divergence * temperature**2


class SoftLabel(Objective):
    """Learns the teacher's probabilities, doubts included.

    Departs from the paper, which adds cross-entropy with the labels: that is the objective
    `label`, with a weight of its own. The paper's loss is a cross-entropy; the divergence differs
    from it by the teacher's entropy alone, and is zero when the student has learnt everything.
    """

    taps: ClassVar = frozenset({Tap.LOGITS})
    guidance_taps: ClassVar = frozenset({Tap.LOGITS})

    def __init__(self, *, temperature: float) -> None:
        super().__init__()
        self.temperature = temperature

    def forward(self, student: Views, guidance: Views | None, targets: Targets) -> Terms:  # noqa: ARG002
        """The divergence, averaged over the views; each has the teacher's answer to it."""
        losses = [
            soft_label_divergence(
                precise(given(learner.logits)),
                precise(given(teacher.logits).detach()),
                self.temperature,
            )
            for learner, teacher in paired(student, guidance)
        ]
        return {"divergence": mean(losses)}


class SoftLabelSettings(ObjectiveSettings):
    """KL(teacher || student) of softened probabilities, times temperature²; mean over the batch."""

    kind: Literal["soft_label"] = "soft_label"
    temperature: PositiveFloat = 4.0  # of the usual CIFAR-100 tables (RepDistiller)
    """Softens the probabilities of both; above 1 the unlikely classes speak louder."""

    def build(self, student: Shape, guidance: Shape | None) -> SoftLabel:  # noqa: ARG002
        """Needs classifiers of the same classes in student and teacher."""
        return SoftLabel(temperature=self.temperature)
