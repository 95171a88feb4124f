"""Learning from two views of an image that should agree, through one network."""

import torch

from understudy.core.types import Batch, Guidance, Outputs, StepOutput
from understudy.methods.method import Method


class Siamese(Method):
    """All views pass together, so that batch norm sees them as one batch, as SimCLR has it.

    (Two passes give another gradient: batch norm would let each view know its own statistics.)
    """

    def forward(self, batch: Batch, guidance: Guidance) -> StepOutput:
        """The loss of one batch.

        Args:
            batch: Two or more views of each image; labels are not read.
            guidance: None.
        """
        together = self.network(torch.cat(batch.views), self.objective.taps)
        return self.scored(split_views(together, len(batch.views)), guidance, batch)


def split_views(together: Outputs, views: int) -> tuple[Outputs, ...]:
    """The outputs of concatenated views, [V x B, ...], as one `Outputs` a view."""
    logits, pooled, projected = (
        (None,) * views if tensor is None else tensor.chunk(views)
        for tensor in (together.logits, together.pooled, together.projected)
    )
    stages = [stage.chunk(views) for stage in together.stages]
    return tuple(
        Outputs(
            logits=logits[view],
            pooled=pooled[view],
            projected=projected[view],
            stages=tuple(stage[view] for stage in stages),
        )
        for view in range(views)
    )
