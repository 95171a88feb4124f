"""What images are called by their source: one label each, or several."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

LabelSets = Sequence[tuple[str, ...] | None]
"""For each image its labels; None where nobody knows them."""


def sets_of(
    labels: NDArray[np.int64],
    classes: Sequence[str],
    tagged: Sequence[tuple[int, ...] | None],
    tags: Sequence[str],
) -> LabelSets:
    """The labels of each image by name: its tags where it may have several, else its class.

    Args:
        labels: [N]; -1 where there is none.
        classes: Names, by label.
        tagged: [N] positions of tags, or nothing where each image has one class.
        tags: Their names.
    """
    if tags:
        return [None if own is None else tuple(tags[tag] for tag in own) for own in tagged]
    return [(classes[label],) if label >= 0 else None for label in labels.tolist()]
