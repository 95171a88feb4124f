"""One frozen teacher in the loop, answering the views that the student sees, at its own size."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from understudy.core.types import Batch, Outputs, Tap
from understudy.models.ensemble import at_size
from understudy.models.frozen import Frozen


class Teacher(nn.Module):
    """Answers every view of a batch.

    Args:
        network: The frozen network; it normalises for itself.
        taps: What the student's objectives ask of it.
        size: The side of the square that it is made for; views of another are resized. None: it
            sees what the student sees.
        classes: Which of its logits are the student's classes, in the student's order; None: all,
            as they stand.
        name: Who it is, in words.
    """

    columns: Tensor | None

    def __init__(
        self,
        network: Frozen,
        *,
        taps: frozenset[Tap],
        size: int | None = None,
        classes: Sequence[int] | None = None,
        name: str = "the teacher",
    ) -> None:
        super().__init__()
        self.name = name
        self.network, self.taps, self.size = network, taps, size
        columns = None if classes is None else torch.tensor(classes)
        self.register_buffer("columns", columns, persistent=False)

    def forward(self, batch: Batch) -> tuple[Outputs, ...]:
        """The outputs for each view."""
        return tuple(self._answer(view) for view in batch.views)

    def _answer(self, view: Tensor) -> Outputs:
        seen = view if self.size is None else at_size(view, self.size)
        answer: Outputs = self.network(seen, self.taps)
        if self.columns is None or answer.logits is None:
            return answer
        return answer._replace(logits=answer.logits.index_select(1, self.columns))
