"""Logit standardisation (Sun et al., CVPR 2024, arXiv:2403.01427, algorithms 1 and 2)."""

from typing import ClassVar, Literal

import torch.nn.functional as F
from pydantic import PositiveFloat
from torch import Tensor

from understudy.core.errors import UsageError
from understudy.core.types import Shape, Tap, Targets, Terms
from understudy.objectives.distill.soft_label import soft_label_divergence
from understudy.objectives.objective import Objective, ObjectiveSettings, Views
from understudy.objectives.reading import mean, paired_logits

# Added to the variance: a deviation of 3e-4, far below any network's, which keeps the gradient of
# equal logits (a classifier that begins at zero) below 3200 times what comes in.
LEAST_VARIANCE = 1e-7


def standardized(logits: Tensor) -> Tensor:
    """Each image's logits, moved to mean 0 and scaled to deviation 1 over the classes.

    Args:
        logits: [B, K].

    Returns:
        [B, K], within ±sqrt(K - 1). The deviation is the paper's, over K; the authors' code
        divides by K - 1 (of 10 classes, 5 % more; of 100, half a percent), and adds 1e-7 to the
        deviation, where the gradient of equal logits is ten million times what comes in.
    """
    return F.layer_norm(logits, logits.shape[1:], eps=LEAST_VARIANCE)


def standardized_divergence(student: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    """`soft_label_divergence` between standardised logits.

    Args:
        student: Logits, [B, K].
        teacher: Logits, [B, K].
        temperature: Divides both after they are standardised; above zero.

    Returns:
        Summed over the classes, averaged over the batch, times temperature². Neither scale nor
        mean of an image's logits counts, the student's or the teacher's.
    """
    return soft_label_divergence(standardized(student), standardized(teacher), temperature)


class Standardized(Objective):
    """Learns how the teacher's logits relate to each other, and leaves their size to the student.

    The student's size is learnt from another objective, such as `label`.
    """

    taps: ClassVar = frozenset({Tap.LOGITS})
    guidance_taps: ClassVar = frozenset({Tap.LOGITS})

    def __init__(self, *, temperature: float) -> None:
        super().__init__()
        self.temperature = temperature

    def forward(self, student: Views, guidance: Views | None, targets: Targets) -> Terms:  # noqa: ARG002
        """The divergence, averaged over the views; each has the teacher's answer to it."""
        losses = [
            standardized_divergence(*logits, self.temperature)
            for logits in paired_logits(student, guidance)
        ]
        return {"divergence": mean(losses)}


class StandardizedSettings(ObjectiveSettings):
    """Soft labels of standardised logits: their relations, not their size.

    weight: 9 in the authors' tables, beside 0.1 of `label`.
    """

    kind: Literal["standardized"] = "standardized"
    temperature: PositiveFloat = 2.0  # the authors' for most pairs of CIFAR-100
    """Softens the probabilities of both, in units of the logits' standard deviation."""

    def build(self, student: Shape, guidance: Shape | None, images: Tensor) -> Standardized:  # noqa: ARG002
        """Needs classifiers of the same classes in student and teacher, and more than two.

        Raises:
            UsageError: Two classes, of whose logits nothing but the order would be left.
        """
        if student.num_classes == 2:
            raise UsageError(
                f"Objective {self.kind!r} needs more than two classes: standardised, two logits "
                "are always 1 and -1, and teach nothing. Use `soft_label` instead."
            )
        return Standardized(temperature=self.temperature)
