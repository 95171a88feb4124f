"""In which order a training sees its images: a pure function of (seed, step)."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from understudy.data.shuffle import shuffled


class Places(NamedTuple):
    """Which elements of the endless stream a batch holds."""

    ranks: NDArray[np.int64]
    """[B]: places in the set of images, 0 .. n - 1."""
    epochs: NDArray[np.int64]
    """[B]: how often each image was seen before."""


class Order:
    """The endless stream over n images, cut into batches.

    Element k is number k % n of the permutation of epoch k // n, and batch s holds the elements
    from s x B on. So every epoch holds every image once, whatever the batch size, and batches go
    on over the ends of epochs.

    Args:
        count: n, at least 1.
        batch_size: B.
        seed: The seed of the order.
    """

    def __init__(self, *, count: int, batch_size: int, seed: int) -> None:
        self._count, self._batch_size, self._seed = count, batch_size, seed
        self._known: dict[int, NDArray[np.int64]] = {}

    def at(self, step: int) -> Places:
        """The elements of batch `step`."""
        elements = np.arange(step * self._batch_size, (step + 1) * self._batch_size)
        epochs, numbers = np.divmod(elements, self._count)
        first, last = int(epochs[0]), int(epochs[-1])
        self._known = {epoch: self._permutation(epoch) for epoch in range(first, last + 1)}

        ranks = np.concatenate(
            [order[numbers[epochs == epoch]] for epoch, order in self._known.items()]
        )
        return Places(ranks=ranks, epochs=epochs)

    def _permutation(self, epoch: int) -> NDArray[np.int64]:
        """The order of one epoch; those of the last batch are remembered."""
        if epoch in self._known:
            return self._known[epoch]
        everything = np.arange(self._count)
        return shuffled(everything, seed=self._seed, purpose=f"order of epoch {epoch}")
