"""Whether features have collapsed: all images look alike to the network, or fall on one line.

Directions are judged, not lengths: a method that compares cosines is free to choose any. A method
that compares assignments to prototypes is free to choose directions, too: of it, those are judged.
"""

from typing import NamedTuple

from understudy.evaluation.geometry import Features, effective_rank, spread

LEAST_SPREAD = 0.1
"""Where all dimensions spread alike, the mean cosine of two images is 1 - spread^2: 0.99 here.
Untrained ResNets have 0.25 on CIFAR-10, their projections 0.2 and more; of eight methods on digits
no projection fell below 0.26 and no feature below 0.3. Runs that were made to collapse (no stopped
gradient, a rate a hundred times too large) went down to between 0.004 and 0.09."""
LEAST_RANK = 2.0
"""Below it, one direction holds nearly all: features may be far apart, but on one line."""
FEWEST_DIMENSIONS = 8
"""Of less wide features, and of fewer images, a low rank says nothing."""


FEWEST_GROUPS = 1.05
"""Below it, all images are assigned to prototypes alike. SwAV and DINO on digits stayed above 2;
made to collapse (SwAV without equal shares, DINO without its centre or with a temperature of 10)
they had 1.000."""


class Extent(NamedTuple):
    """How much of their space features take."""

    spread: float
    """0-1, see `geometry.spread`."""
    effective_rank: float
    dimensions: int
    """The most that the effective rank could be: min(N, D)."""

    @property
    def is_collapsed(self) -> bool:
        """Whether images can hardly be told apart, or only along one line."""
        on_a_line = self.dimensions >= FEWEST_DIMENSIONS and self.effective_rank < LEAST_RANK
        return self.spread < LEAST_SPREAD or on_a_line


class Division(NamedTuple):
    """How assignments to prototypes tell images apart."""

    groups: float
    """See `geometry.groups`."""

    @property
    def is_collapsed(self) -> bool:
        """Whether all images are assigned alike."""
        return self.groups < FEWEST_GROUPS


def extent(features: Features) -> Extent:
    """Measures features [N, D] of different images, not normalised."""
    return Extent(
        spread=spread(features),
        effective_rank=effective_rank(features),
        dimensions=min(features.shape),
    )
