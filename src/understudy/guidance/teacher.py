"""One frozen teacher in the loop, answering the very pixels that the student sees."""

from torch import nn

from understudy.core.types import Batch, Outputs, Tap
from understudy.models.frozen import Frozen


class Teacher(nn.Module):
    """Answers every view of a batch.

    Args:
        network: The frozen network; it normalises for itself.
        taps: What the student's objectives ask of it.
    """

    def __init__(self, network: Frozen, *, taps: frozenset[Tap]) -> None:
        super().__init__()
        self.network, self.taps = network, taps

    def forward(self, batch: Batch) -> tuple[Outputs, ...]:
        """The outputs for each view."""
        return tuple(self.network(view, self.taps) for view in batch.views)
