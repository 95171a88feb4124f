"""Answers that somebody stored, where no teacher is at hand."""

import numpy as np
import torch
from numpy.typing import NDArray

from understudy.core.types import Batch, Outputs


class StoredAnswers:
    """A guide that knows one answer to each image, and gives it to every view of the image.

    A teacher in the loop, and a bank, answer what the student sees; here the student may see a view
    that nobody was asked about.

    Args:
        logits: [n, K].
        indices: [n], the image that each row answers to.
        count: Number of images in the pack.
        device: Where the answers are wanted.
        name: Where they come from, in words.
    """

    def __init__(
        self,
        logits: NDArray[np.float32],
        *,
        indices: NDArray[np.int64],
        count: int,
        device: torch.device,
        name: str,
    ) -> None:
        rows = torch.full((count,), -1, dtype=torch.int64)
        rows[torch.from_numpy(indices)] = torch.arange(len(indices))
        self._rows, self._logits = rows.to(device), torch.from_numpy(logits).to(device)
        self.name = name

    def __call__(self, batch: Batch) -> tuple[Outputs, ...]:
        """The stored logits, the same for each view."""
        answer = Outputs(logits=self._logits[self._rows[batch.index.to(self._rows.device)]])
        return (answer,) * len(batch.views)
