"""How far a figure from few images may be from the truth: 95 % intervals over images."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Z = 1.959963984540054  # the 97.5 % quantile of the normal distribution
DRAWS = 1000  # Efron and Tibshirani 1993: enough for 95 % bounds


class Interval(NamedTuple):
    """Both ends, in the unit of the figure."""

    low: float
    high: float


def wilson(right: int, images: int) -> Interval:
    """The interval of a share (Wilson 1927), right also near 0, near 1 and with few images.

    Raises:
        ValueError: There are no images, or more right ones than images.
    """
    if not 0 <= right <= images or not images:
        raise ValueError(f"{right} of {images} is no share.")
    share, weight = right / images, Z * Z / images
    centre = (share + weight / 2) / (1 + weight)
    reach = Z / (1 + weight) * np.sqrt(share * (1 - share) / images + weight / images / 4)
    # At the ends the formula is exact, and its rounding would leave the range.
    low = 0.0 if right == 0 else float(centre - reach)
    return Interval(low, 1.0 if right == images else float(centre + reach))


def over_images(
    confusion: Sequence[Sequence[int]], figure: Callable[[NDArray[np.int64]], float], *, seed: int
) -> Interval:
    """The interval of any figure of a confusion matrix, by drawing as many images again.

    Drawing images with replacement draws cells of the matrix, each as often as images lie there.

    Args:
        confusion: Counts [K, K].
        figure: Of such a matrix.
        seed: Of the draws.

    Raises:
        ValueError: The matrix is empty.
    """
    counts = np.asarray(confusion, dtype=np.int64)
    total = int(counts.sum())
    if not total:
        raise ValueError("A confusion matrix without images has no interval.")
    generator = np.random.default_rng(seed)
    # Empty cells are never drawn, and of a thousand classes nearly all are: all draws at once
    # would take gigabytes.
    filled = counts.nonzero()
    drawn = np.zeros_like(counts)
    values = []
    for _ in range(DRAWS):
        drawn[filled] = generator.multinomial(total, counts[filled] / total)
        values.append(figure(drawn))
    low, high = np.quantile(values, [0.025, 0.975])
    return Interval(float(low), float(high))


def macro_f1(confusion: ArrayLike) -> float:
    """Mean F1 over the classes that occur in the labels or the answers, of counts [K, K]."""
    counts = np.asarray(confusion)
    both = counts.sum(axis=0) + counts.sum(axis=1)
    occurring = both > 0
    return float((2 * counts.diagonal()[occurring] / both[occurring]).mean())
