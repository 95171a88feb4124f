"""Cross-entropy with the labels, with label smoothing (Szegedy et al. 2016, arXiv:1512.00567)."""

from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor

from understudy.core.types import Shape, Tap, Targets, Terms
from understudy.objectives.objective import Objective, ObjectiveSettings, Views
from understudy.objectives.reading import given, mean, precise
from understudy.objectives.together import weighted_mean

UNLABELED = -1
LEAST_SHARE = 1e-6  # below any share of an image that mixing gives; divides a batch without labels


def label_cross_entropy(
    logits: Tensor, labels: Sequence[tuple[Tensor, Tensor]], smoothing: float
) -> Tensor:
    """Cross-entropy, averaged over what is labelled.

    Args:
        logits: [B, K].
        labels: Class indices [B], -1 where there is none, and the share [B] of each image that
            they speak for. One pair; two for mixed images.
        smoothing: Share of each target that is spread evenly over all K classes, as in PyTorch.

    Returns:
        The sum of share x cross-entropy over all labels, divided by the sum of their shares: over
        unmixed images the mean over the labelled ones. Exactly zero, with zero gradient, where
        nothing is labelled. Where several processes train together, all their labels count.
    """
    losses = [
        F.cross_entropy(
            logits, indices, ignore_index=UNLABELED, reduction="none", label_smoothing=smoothing
        )
        for indices, _ in labels
    ]
    known = [share * (indices != UNLABELED) for indices, share in labels]
    return weighted_mean(torch.cat(losses), torch.cat(known), least=LEAST_SHARE)


class Label(Objective):
    """Learns the labels of the images that have one; the others count neither way."""

    taps: ClassVar = frozenset({Tap.LOGITS})
    reads_labels: ClassVar = True

    def __init__(self, *, smoothing: float) -> None:
        super().__init__()
        self.smoothing = smoothing

    def forward(self, student: Views, guidance: Views | None, targets: Targets) -> Terms:  # noqa: ARG002
        """The cross-entropy, averaged over the views."""
        labels = _with_shares(targets)
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

    def build(self, student: Shape, guidance: Shape | None) -> Label:  # noqa: ARG002
        """Needs a student with a classifier."""
        return Label(smoothing=self.smoothing)


def _with_shares(targets: Targets) -> list[tuple[Tensor, Tensor]]:
    if targets.mix is None:
        return [(targets.labels, torch.ones_like(targets.labels))]
    partner, share = targets.mix
    return [(targets.labels, share), (targets.labels[partner], 1 - share)]
