"""Learning from labels."""

import torch
from torch import Tensor

from understudy.core.types import Batch, Guidance, Outputs, StepOutput
from understudy.methods.method import Method, targets_of


class Supervised(Method):
    """Every view passes alone; nobody guides."""

    def forward(self, batch: Batch, guidance: Guidance) -> StepOutput:
        """The loss of one batch, and which share of it was answered right, for the log.

        Args:
            batch: With labels.
            guidance: None.
        """
        student = tuple(self.network(view, self.objective.taps) for view in batch.views)
        output = self.scored(student, guidance, batch)
        right = top1(student, targets_of(batch).labels)
        return output if right is None else output._replace(terms={**output.terms, "top1": right})


@torch.no_grad()
def top1(views: tuple[Outputs, ...], labels: Tensor) -> Tensor | None:
    """The share of a batch that was answered right, before its step; None without logits.

    It tells how far a training is, and nothing of other images.

    Args:
        views: Outputs for each view of the images.
        labels: [B], all known.
    """
    logits = [view.logits for view in views if view.logits is not None]
    if not logits:
        return None
    right = torch.stack([(each.argmax(dim=1) == labels).float().mean() for each in logits])
    return right.mean()
