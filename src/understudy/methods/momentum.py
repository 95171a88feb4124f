"""Learning from a slower copy of the network itself, which sees the other view."""

import math
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from understudy.core.errors import UsageError
from understudy.core.types import Batch, Guidance, Outputs, StepOutput
from understudy.methods.method import Method, must_be_several, self_supervised_objections
from understudy.models.average import Average
from understudy.models.network import Network
from understudy.objectives.objective import Combined, Portion

Share = Annotated[float, Field(ge=0, le=1)]


def momentum_at(progress: float, *, start: float, end: float) -> float:
    """The target's momentum, from `start` along half a cosine to `end` (BYOL, arXiv:2006.07733).

    Args:
        progress: Steps done over all steps, in [0, 1].
        start: Momentum of the first step.
        end: Where it leads; the authors' is 1, a target that stands still.
    """
    return end - (end - start) * (1 + math.cos(math.pi * progress)) / 2


class Momentum(Method):
    """What the network learns is guided by its target: a moving average of its own weights.

    Network and target see each view by itself, the target those alone that an objective asks it
    for. The target is in training mode as the network is: its batch norms normalise by the batch at
    hand, as in the authors' code of BYOL and MoCo. Its running statistics are read by nobody; after
    every step they are copies of the network's.

    Args:
        network: What learns.
        objective: Compares its outputs with those of the target.
        start: The target's momentum at the beginning: the share of its own weights that stays.
        end: At the end of the training.
        splits: In how many parts the network's batch norms see a batch (models/split_norm.py);
            above 1, the target sees it in another order, so that an image and its key share no
            statistics by which they could be found.
    """

    def __init__(
        self, network: Network, objective: Combined, *, start: float, end: float, splits: int
    ) -> None:
        super().__init__(network, objective)
        self.target = Average(network)
        self.start, self.end, self.splits = start, end, splits

    def forward(self, batch: Batch, guidance: Guidance) -> StepOutput:  # noqa: ARG002
        """The loss of one batch.

        Args:
            batch: Two or more views of each image; labels are not read.
            guidance: None; the target guides.

        Raises:
            UsageError: The batch is too small, or cannot be split so.
        """
        must_be_several(batch, parts=self.splits)
        student = tuple(self.network(view, self.objective.taps) for view in batch.views)
        asked = batch.views[: self.objective.guided_views]
        targets = tuple(self._of_target(view) for view in asked)
        return self.scored(student, targets, batch)

    def objections(self, portion: Portion) -> list[str]:
        """Batch norm needs several images in each part, and each image must be there once."""
        return super().objections(portion) + self_supervised_objections(portion, self.splits)

    def _of_target(self, view: Tensor) -> Outputs:
        taps = self.objective.guidance_taps
        if self.splits == 1:
            outputs: Outputs = self.target(view, taps)
            return outputs
        # Drawn on the CPU, whose generator a checkpoint holds and every device shares.
        order = torch.randperm(len(view)).to(view.device)
        return in_order(self.target(view[order], taps), order.argsort())

    def after_step(self, progress: float, spoiled: Tensor) -> None:
        """Moves the target towards the network, unless the step is one that did not count."""
        momentum = momentum_at(progress, start=self.start, end=self.end)
        self.target.update(torch.where(spoiled > 0, 1.0, momentum))


def in_order(outputs: Outputs, order: Tensor) -> Outputs:
    """The outputs of the images in another order, [B]."""
    logits, pooled, projected = (
        None if values is None else values[order]
        for values in (outputs.logits, outputs.pooled, outputs.projected)
    )
    stages = tuple(stage[order] for stage in outputs.stages)
    return Outputs(logits=logits, pooled=pooled, projected=projected, stages=stages)


def must_read_target(objective: Combined, kind: str) -> None:
    """Refuses a momentum network that nobody asks.

    Raises:
        UsageError: No objective reads the target.
    """
    if not objective.guidance_taps:
        raise UsageError(
            f"method.kind={kind} keeps a momentum network, but none of `terms` "
            f"({', '.join(objective.names)}) learns from one. Leave `terms` out, or add such as "
            "`prediction` or `info_nce`."
        )
