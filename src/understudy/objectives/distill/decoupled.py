"""Decoupled knowledge distillation, DKD (Zhao et al., CVPR 2022, arXiv:2203.08679)."""

from collections.abc import Callable
from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from pydantic import NonNegativeFloat, PositiveFloat
from torch import Tensor

from understudy.core.types import Shape, Tap, Targets, Terms
from understudy.objectives.labelled import labelled_mean, with_shares
from understudy.objectives.objective import Objective, ObjectiveSettings, Views
from understudy.objectives.reading import mean, paired_logits


def decoupled_divergences(
    student: Tensor, teacher: Tensor, labels: Tensor, temperature: float
) -> Tensor:
    """The softened divergence of each image, split at its label.

    Args:
        student: Logits, [B, K].
        teacher: Logits, [B, K].
        labels: Class indices, [B], from 0.
        temperature: Divides both; above zero.

    Returns:
        [2, B], times temperature²: the divergence of label or not, and the divergence among the
        other classes (zero where there is but one). The first, plus the second times the
        teacher's softened probability of all other classes, is KL(teacher || student).
    """
    classes = student.shape[1]
    steps = torch.arange(1, classes, device=labels.device)
    others = (labels[:, None] + steps) % classes  # [B, K - 1], all classes but the label

    def parts(logits: Tensor) -> tuple[Tensor, Tensor]:
        softened = logits / temperature
        rest = softened.gather(1, others)
        split = torch.cat([softened.gather(1, labels[:, None]), rest.logsumexp(1, True)], dim=1)
        return F.log_softmax(split, dim=1), F.log_softmax(rest, dim=1)

    divergences = [
        F.kl_div(learnt, taught, reduction="none", log_target=True).sum(dim=1)
        for learnt, taught in zip(parts(student), parts(teacher), strict=True)
    ]
    return torch.stack(divergences) * temperature**2


class Decoupled(Objective):
    """Weighs what the teacher says of the label and of the other classes by themselves.

    In the softened divergence, what is said of the other classes counts the less, the surer the
    teacher is of the label. Images without a label count neither way; a mixed image is split at
    each of its labels, by their shares.

    Departs from the authors' code: the label is left out of the logits of the other classes, not
    pushed down by 1000, and logarithms of probabilities are never taken, so that two classes, half
    precision and a certain teacher stay finite. No warm-up of its own: give `weight` a ramp.
    """

    taps: ClassVar = frozenset({Tap.LOGITS})
    guidance_taps: ClassVar = frozenset({Tap.LOGITS})
    reads_labels: ClassVar = True

    def __init__(self, *, temperature: float, alpha: float, beta: float) -> None:
        super().__init__()
        self.temperature = temperature
        self.alpha, self.beta = alpha, beta

    def forward(self, student: Views, guidance: Views | None, targets: Targets) -> Terms:
        """Both parts with their factors, averaged over what is labelled and over the views."""
        labels = with_shares(targets)
        pairs = paired_logits(student, guidance)
        losses = [labelled_mean(self._parts(*logits), labels) for logits in pairs]
        target, others = mean(losses)
        return {"target": self.alpha * target, "non_target": self.beta * others}

    def _parts(self, student: Tensor, teacher: Tensor) -> Callable[[Tensor], Tensor]:
        return lambda labels: decoupled_divergences(student, teacher, labels, self.temperature)


class DecoupledSettings(ObjectiveSettings):
    """Soft labels in two parts, the label and the other classes: reads labels.

    weight: 1 in the authors' tables, beside 1 of `label`, after a warm-up over 20 of 240 epochs:
    `{start: 0, end: 1, until: 0.083}`.
    """

    kind: Literal["decoupled"] = "decoupled"
    temperature: PositiveFloat = 4.0  # this and the next two: the authors' for CIFAR-100
    """Softens the probabilities of both; above 1 the unlikely classes speak louder."""
    alpha: NonNegativeFloat = 1.0
    """Factor of the label's part: how sure the teacher is of the label."""
    beta: NonNegativeFloat = 8.0  # theirs for several pairs: 2 (resnet56 to resnet20), 6 (vgg)
    """Factor of the other classes' part: how likely the teacher finds each of them."""

    def build(self, student: Shape, guidance: Shape | None, images: Tensor) -> Decoupled:  # noqa: ARG002
        """Needs classifiers of the same classes in student and teacher."""
        return Decoupled(temperature=self.temperature, alpha=self.alpha, beta=self.beta)
