"""Random orders that are the same on every machine and with every version of NumPy."""

import numpy as np
from numpy.typing import NDArray

from understudy.core.seeds import derived_seed


def shuffled(values: NDArray[np.int64], *, seed: int, purpose: str) -> NDArray[np.int64]:
    """The values in a random order.

    Args:
        values: [N].
        seed: The user's seed.
        purpose: What the order is for; other purposes get independent orders.

    NumPy promises a stable stream for the raw bits of a bit generator, but not for `permutation`;
    so the order is that of raw 64-bit draws.
    """
    draws = np.random.PCG64(derived_seed(seed, purpose)).random_raw(len(values))
    return values[np.argsort(draws, kind="stable")]
