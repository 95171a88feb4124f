"""Learning from labels."""

from understudy.core.types import Batch, Guidance, StepOutput
from understudy.methods.method import Method


class Supervised(Method):
    """Every view passes alone; nobody guides."""

    def forward(self, batch: Batch, guidance: Guidance) -> StepOutput:
        """The loss of one batch.

        Args:
            batch: With labels.
            guidance: None.
        """
        student = tuple(self.network(view, self.objective.taps) for view in batch.views)
        return self.scored(student, guidance, batch)
