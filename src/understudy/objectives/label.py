"""Cross-entropy with the labels, with label smoothing (Szegedy et al. 2016, arXiv:1512.00567)."""

from typing import Annotated, ClassVar, Literal

import torch.nn.functional as F
from pydantic import Field
from torch import Tensor

from understudy.core.types import Shape, Tap, Targets, Terms
from understudy.objectives.labelled import Labels, labelled_mean, with_shares
from understudy.objectives.objective import Objective, ObjectiveSettings, Views
from understudy.objectives.reading import given, mean, precise


def label_cross_entropy(logits: Tensor, labels: Labels, smoothing: float) -> Tensor:
    """Cross-entropy, averaged over what is labelled.

    Args:
        logits: [B, K].
        labels: Class indices, -1 where there is none, and the share of each image that they speak
            for.
        smoothing: Share of each target that is spread evenly over all K classes, as in PyTorch.

    Returns:
        As `labelled_mean`.
    """

    def losses(indices: Tensor) -> Tensor:
        return F.cross_entropy(logits, indices, reduction="none", label_smoothing=smoothing)

    return labelled_mean(losses, labels)


class Label(Objective):
    """Learns the labels of the images that have one; the others count neither way."""

    taps: ClassVar = frozenset({Tap.LOGITS})
    reads_labels: ClassVar = True

    def __init__(self, *, smoothing: float) -> None:
        super().__init__()
        self.smoothing = smoothing

    def forward(self, student: Views, guidance: Views | None, targets: Targets) -> Terms:  # noqa: ARG002
        """The cross-entropy, averaged over the views."""
        labels = with_shares(targets)
        losses = [
            label_cross_entropy(precise(given(view.logits)), labels, self.smoothing)
            for view in student
        ]
        return {"cross_entropy": mean(losses)}


class LabelSettings(ObjectiveSettings):
    """Cross-entropy with the labels."""

    kind: Literal["label"] = "label"
    smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Share of each target that is spread evenly over all classes."""

    def build(self, student: Shape, guidance: Shape | None, images: Tensor) -> Label:  # noqa: ARG002
        """Needs a student with a classifier."""
        return Label(smoothing=self.smoothing)
