"""Learning from a teacher's answers (Hinton et al. 2015), with or without labels beside them."""

from understudy.core.types import Batch, Guidance, StepOutput
from understudy.methods.method import Method


class Distilled(Method):
    """Every view passes alone, and is compared with the teacher's answer to the same pixels."""

    def forward(self, batch: Batch, guidance: Guidance) -> StepOutput:
        """The loss of one batch.

        Args:
            batch: With or without labels.
            guidance: The teacher's outputs for each view.
        """
        assert guidance is not None, "a distilled student needs a guide"
        student = tuple(self.network(view, self.objective.taps) for view in batch.views)
        return self.scored(student, guidance, batch)
