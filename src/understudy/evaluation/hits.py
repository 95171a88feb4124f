"""How often the right class is among the first, also of scores that leave some classes out."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from understudy.core.errors import DataError

TOP = 5


class Hits(NamedTuple):
    """Shares of images, 0-1."""

    top1: float
    """The label has the highest score."""
    top5: float | None
    """The label is among the five highest; None with five classes or fewer, where it tells nothing.
    """


def hits(scores: NDArray[Any], labels: NDArray[np.int64]) -> Hits:
    """How often the label is the first, and how often one of the first five.

    Args:
        scores: [N, K]; -inf for a class that was not named, which is never right. Of equal scores
            the first class comes first.
        labels: [N], each in 0 .. K-1.

    Raises:
        DataError: There is no image.
    """
    if not len(labels):
        raise DataError("There is no labelled image to evaluate; choose another split.")
    own = np.take_along_axis(scores, labels[:, None], axis=1)
    before = (scores == own) & (np.arange(scores.shape[1]) < labels[:, None])
    places = ((scores > own) | before).sum(axis=1)
    named = own[:, 0] > -np.inf
    return Hits(
        top1=float((named & (places < 1)).mean()),
        top5=float((named & (places < TOP)).mean()) if scores.shape[1] > TOP else None,
    )
