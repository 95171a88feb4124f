"""VICReg (Bardes et al., ICLR 2022, arXiv:2105.04906): views agree, features stay spread."""

from typing import Literal

from torch import Tensor

from understudy.core.settings import Settings
from understudy.methods.siamese import Siamese, combined_alone
from understudy.models.heads import ProjectorSettings
from understudy.models.network import Network
from understudy.objectives import AnyObjective
from understudy.objectives.selfsup.vicreg import VicregSettings


class VicregMethodSettings(Settings):
    """VICReg: two views agree, while every feature keeps its spread and differs from the others."""

    kind: Literal["vicreg"] = "vicreg"
    projector: ProjectorSettings = ProjectorSettings(
        hidden=2048, out=2048, layers=3, normed="inner"
    )
    """The head between the backbone and the objective; left behind afterwards."""
    terms: tuple[AnyObjective, ...] = (VicregSettings(),)
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
