"""SimCLR (Chen et al., ICML 2020, arXiv:2002.05709): two views of an image find each other."""

from typing import Literal

from torch import Tensor

from understudy.core.settings import Settings
from understudy.methods.siamese import Siamese, combined_alone
from understudy.models.heads import ProjectorSettings
from understudy.models.network import Network
from understudy.objectives import AnyObjective
from understudy.objectives.selfsup.nt_xent import NtXentSettings


class SimclrSettings(Settings):
    """SimCLR: NT-Xent over two views, behind a projection head."""

    kind: Literal["simclr"] = "simclr"
    projector: ProjectorSettings = ProjectorSettings()
    """The head between the backbone and the objective; left behind afterwards."""
    terms: tuple[AnyObjective, ...] = (NtXentSettings(),)
    """Objectives to add up; each carries its own weight."""

    def build(self, network: Network, *, images: Tensor, seed: int) -> Siamese:
        """The method over a network that has this projector.

        Args:
            network: What learns.
            images: [n], int64: positions in the pack of the images that the training shows.
            seed: Of the objectives' own parameters, where they have any.

        Raises:
            UsageError: The terms do not fit the network, or need to be guided.
        """
        objective = combined_alone(self.terms, network, kind=self.kind, images=images, seed=seed)
        return Siamese(network, objective, fused=True)
