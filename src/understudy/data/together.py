"""What belongs together: images of equal pixels, images of one group, and chains of both."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int64]


def numbered(groups: Sequence[str]) -> Indices:
    """For each image the number of its named group, [N]; -1 for none."""
    numbers = {name: number for number, name in enumerate(dict.fromkeys(g for g in groups if g))}
    return np.array([numbers.get(name, -1) for name in groups], dtype=np.int64)


def joined(identical: Indices, groups: Indices) -> Indices:
    """For each image the number of all that must stay on its side of a split, [N].

    Two images stay together if they are identical or of one group, and so do the images at the
    ends of any chain of such pairs.

    Args:
        identical: For each image the number of its pixels, [N].
        groups: For each image the number of its group, [N]; -1 for none.
    """
    belongs = np.flatnonzero(groups >= 0)
    if not len(belongs):
        return identical
    from scipy.sparse import coo_array  # a quarter of a second that others need not wait
    from scipy.sparse.csgraph import connected_components

    # A graph whose nodes are the different pixels and the groups, an edge for each image in both.
    start = int(identical.max()) + 1
    nodes = start + int(groups.max()) + 1
    edges = (np.ones(len(belongs), dtype=np.int8), (identical[belongs], start + groups[belongs]))
    _, numbers = connected_components(coo_array(edges, shape=(nodes, nodes)), directed=False)
    bundles: Indices = numbers[identical].astype(np.int64)
    return bundles
