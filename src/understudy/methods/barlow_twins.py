"""Barlow Twins (Zbontar et al., ICML 2021, arXiv:2103.03230): no feature says the same twice."""

from typing import Literal

from torch import Tensor

from understudy.core.settings import Settings
from understudy.methods.siamese import Siamese, combined_alone
from understudy.models.heads import ProjectorSettings
from understudy.models.network import Network
from understudy.objectives import AnyObjective
from understudy.objectives.selfsup.redundancy_reduction import RedundancyReductionSettings


class BarlowTwinsSettings(Settings):
    """Barlow Twins: each feature agrees between two views and differs from all other features."""

    kind: Literal["barlow_twins"] = "barlow_twins"
    projector: ProjectorSettings = ProjectorSettings(hidden=2048, out=2048, layers=3)
    """The head between the backbone and the objective; left behind afterwards."""
    terms: tuple[AnyObjective, ...] = (RedundancyReductionSettings(),)
    """Objectives to add up; each carries its own weight."""

    def build(self, network: Network, *, images: Tensor, seed: int) -> Siamese:
        """The method over a network that has this projector.

        Args:
            network: What learns.
            images: [n], int64: positions in the pack of the images that the training shows.
            seed: Of the objectives' own parameters and queues.

        Raises:
            UsageError: The terms do not fit the network, or need to be guided.
        """
        objective = combined_alone(self.terms, network, kind=self.kind, images=images, seed=seed)
        return Siamese(network, objective, fused=False)
