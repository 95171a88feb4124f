"""What learns: a network, the objectives over its outputs, and how a batch passes through them."""

import torch
from torch import nn

from understudy.core.types import Batch, Guidance, Outputs, StepOutput, Targets, Terms
from understudy.models.ensemble import Ensemble
from understudy.models.network import Network
from understudy.objectives.objective import Combined


class Method(nn.Module):
    """Base of all methods; a new one changes `forward` and, where it has state, `after_step`.

    Args:
        network: The student, which export takes alone.
        objective: What is minimised; may own parameters and queues.
    """

    def __init__(self, network: Network | Ensemble, objective: Combined) -> None:
        super().__init__()
        self.network, self.objective = network, objective

    def forward(self, batch: Batch, guidance: Guidance) -> StepOutput:
        """The loss of one batch."""
        raise NotImplementedError

    def after_step(self, progress: float) -> None:
        """Called after every optimizer step with the share of the training that is done.

        For networks and queues that move by another rule than the gradient; here, nothing does.
        """

    def scored(self, student: tuple[Outputs, ...], guidance: Guidance, batch: Batch) -> StepOutput:
        """The objectives' verdict on the outputs."""
        loss, terms = self.objective(student, guidance, targets_of(batch))
        return StepOutput(loss=loss, terms=detached(terms), size=len(batch.index))


def targets_of(batch: Batch) -> Targets:
    """What objectives may know of the batch; labels of -1 where it has none."""
    unknown = torch.full_like(batch.index, -1)
    return Targets(
        labels=unknown if batch.labels is None else batch.labels, index=batch.index, mix=None
    )


def detached(terms: Terms) -> Terms:
    """The terms without their graph, for the log."""
    return {name: value.detach() for name, value in terms.items()}
