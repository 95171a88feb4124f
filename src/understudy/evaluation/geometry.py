"""How embeddings lie in their space, told without a label.

Those of features ignore their scale and any rotation of their space. Spread, alignment and
uniformity look at directions alone; effective rank at the features as they are, as its authors do.
"""

from collections.abc import Iterable
from typing import Any

import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

Features = NDArray[Any] | Tensor
"""[N, D], not normalised."""


def spread(features: Features) -> float:
    """How far directions differ from image to image (SimSiam, arXiv:2011.10566, section 4.1).

    The standard deviation over the images of each dimension of the unit-length features, averaged
    over the dimensions, as a share of 1/sqrt(D). The paper plots it without dividing.

    Returns:
        From 0, where all features point the same way, to 1, where they point in all directions
        alike.
    """
    unit = _unit(features)
    return float(unit.std(dim=0, correction=0).mean() * unit.shape[1] ** 0.5)


def effective_rank(features: Features) -> float:
    """In how many dimensions the features lie (RankMe, Garrido et al. 2023, arXiv:2210.02885).

    The exponential of the entropy of the singular values, divided by their sum; the features are
    not centred. Departs from the paper, which adds 1e-7 to each share against log 0: here a share
    of 0 adds nothing, which is its limit.

    Returns:
        From 1, where all features are multiples of one, to min(N, D); 0 where all are 0.
    """
    values = _singular_values(torch.as_tensor(features).double())
    total = values.sum()
    if not total > 0:
        return 0.0
    return float(torch.special.entr(values / total).sum().exp())


def alignment(first: Features, second: Features) -> float:
    """How far two views of an image lie apart (Wang and Isola, ICML 2020, arXiv:2005.10242).

    The mean squared distance of the unit-length features, their alpha = 2.

    Args:
        first: Of one view of each image.
        second: Of the other view of the same images.

    Returns:
        From 0, where views cannot be told apart, to 4; 2 where they have nothing in common.
    """
    return float((_unit(first) - _unit(second)).square().sum(dim=1).mean())


def uniformity(features: Features) -> float:
    """How evenly directions are used (Wang and Isola, ICML 2020, arXiv:2005.10242).

    The logarithm of the mean of exp(-2 d^2) over all pairs of different images, d their distance
    at unit length; their t = 2. The less, the more evenly.

    Args:
        features: Of two images or more.

    Returns:
        From 0, where all features point the same way, down to about -4, where they point in all
        directions of a large space alike.
    """
    return float(F.pdist(_unit(features)).square().mul(-2).exp().mean().log())


def groups(assignments: Iterable[Tensor]) -> float:
    """Into how many groups of one size assignments to prototypes divide images.

    The exponential of the mutual information of image and prototype: of the entropy of the mean
    assignment, less the mean entropy of an image's own.

    Args:
        assignments: [b, K] of each batch of images, not below zero, each row 1 in all.

    Returns:
        From 1, where all images are assigned alike, surely to one prototype or to all of them
        equally, to min(N, K).
    """
    count, own, together = 0, 0.0, torch.zeros(())
    for batch in assignments:
        count += len(batch)
        own += float(torch.special.entr(batch).sum())
        together = together + batch.cpu().double().sum(dim=0)
    return float((torch.special.entr(together / count).sum() - own / count).exp().clamp(min=1))


def _singular_values(features: Tensor) -> Tensor:
    """Of a wide matrix from its small product with itself, which takes a twentieth of the time.

    What is below 1e-8 of the largest, the square root of the precision, comes out as noise.
    """
    count, width = features.shape
    if width <= count:
        values: Tensor = torch.linalg.svdvals(features)
    else:
        values = torch.linalg.eigvalsh(features @ features.T).clamp(min=0).sqrt()
    return values


def _unit(features: Features) -> Tensor:
    return F.normalize(torch.as_tensor(features).double(), dim=1)
