"""SwAV (Caron et al., NeurIPS 2020, arXiv:2006.09882): one view predicts another's cluster."""

from typing import Literal

from torch import Tensor

from understudy.core.settings import Settings
from understudy.methods.siamese import Siamese, combined_alone
from understudy.models.heads import ProjectorSettings
from understudy.models.network import Network
from understudy.objectives import AnyObjective
from understudy.objectives.selfsup.swapped_assignment import SwappedAssignmentSettings


class SwavSettings(Settings):
    """SwAV: predicts to which of many clusters, all of one size, another view is assigned.

    Views of one size pass together, as in the authors' code; there, the projector also sees views
    of all sizes as one batch.
    """

    kind: Literal["swav"] = "swav"
    projector: ProjectorSettings = ProjectorSettings(hidden=512, out=128, normed="inner")
    """The head between the backbone and the objective; left behind afterwards."""
    terms: tuple[AnyObjective, ...] = (SwappedAssignmentSettings(),)
    """Objectives to add up; each carries its own weight."""

    def build(self, network: Network, *, images: Tensor, seed: int) -> Siamese:
        """The method over a network that has this projector.

        Args:
            network: What learns.
            images: [n], int64: positions in the pack of the images that the training shows.
            seed: Of the objectives' own parameters and queues.

        Raises:
            UsageError: The terms do not fit the network, or some of them need to be guided.
        """
        objective = combined_alone(self.terms, network, kind=self.kind, images=images, seed=seed)
        return Siamese(network, objective, fused=True)
