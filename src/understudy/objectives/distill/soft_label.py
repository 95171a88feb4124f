"""Soft labels: the teacher's softened probabilities (Hinton et al. 2015, arXiv:1503.02531)."""

import math
from collections.abc import Callable
from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from pydantic import PositiveFloat
from torch import Tensor

from understudy.core.types import Shape, Tap, Targets, Terms
from understudy.objectives.objective import Objective, ObjectiveSettings, Views
from understudy.objectives.reading import mean, paired_logits

Direction = Literal["forward", "reverse", "jensen_shannon"]
Divergence = Callable[[Tensor, Tensor, float], Tensor]


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


def reverse_divergence(student: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    """KL(student || teacher), else as `soft_label_divergence`.

    The student pays for what the teacher finds unlikely, and not for leaving out what it finds
    likely: a small one gathers on the likeliest classes (as in MiniLLM, Gu et al. 2023,
    arXiv:2306.08543).
    """
    return soft_label_divergence(teacher, student, temperature)


def jensen_shannon_divergence(student: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    """The mean of both divergences from the halfway probabilities (Lin 1991), times temperature².

    Symmetric, and at most log 2 x temperature², however sure either is. Where the two are close, a
    quarter of the others.
    """
    both = [F.log_softmax(logits / temperature, dim=1) for logits in (student, teacher)]
    halfway = torch.logaddexp(*both) - math.log(2)
    divergences = [F.kl_div(halfway, each, reduction="batchmean", log_target=True) for each in both]
    return (divergences[0] + divergences[1]) / 2 * temperature**2


DIVERGENCES: dict[Direction, Divergence] = {
    "forward": soft_label_divergence,
    "reverse": reverse_divergence,
    "jensen_shannon": jensen_shannon_divergence,
}


class SoftLabel(Objective):
    """Learns the teacher's probabilities, doubts included.

    Departs from the paper, which adds cross-entropy with the labels: that is the objective
    `label`, with a weight of its own. The paper's loss is a cross-entropy; the divergence differs
    from it by the teacher's entropy alone, and is zero when the student has learnt everything.
    """

    taps: ClassVar = frozenset({Tap.LOGITS})
    guidance_taps: ClassVar = frozenset({Tap.LOGITS})

    def __init__(self, *, temperature: float, direction: Direction) -> None:
        super().__init__()
        self.temperature = temperature
        self.divergence = DIVERGENCES[direction]

    def forward(self, student: Views, guidance: Views | None, targets: Targets) -> Terms:  # noqa: ARG002
        """The divergence, averaged over the views; each has the teacher's answer to it."""
        losses = [
            self.divergence(*logits, self.temperature)
            for logits in paired_logits(student, guidance)
        ]
        return {"divergence": mean(losses)}


class SoftLabelSettings(ObjectiveSettings):
    """KL(teacher || student) of softened probabilities, times temperature²; mean over the batch.

    weight: 0.9 in the usual tables (RepDistiller), beside 0.1 of `label`.
    """

    kind: Literal["soft_label"] = "soft_label"
    temperature: PositiveFloat = 4.0  # of the usual CIFAR-100 tables (RepDistiller)
    """Softens the probabilities of both; above 1 the unlikely classes speak louder."""
    direction: Direction = "forward"
    """`forward` is KL(teacher || student), as everywhere; `reverse` is KL(student || teacher);
    `jensen_shannon` the mean of both divergences from the halfway probabilities."""

    def build(self, student: Shape, guidance: Shape | None, images: Tensor) -> SoftLabel:  # noqa: ARG002
        """Needs classifiers of the same classes in student and teacher."""
        return SoftLabel(temperature=self.temperature, direction=self.direction)
