"""SimSiam (Chen and He, CVPR 2021, arXiv:2011.10566): a view predicts the other one."""

from typing import Literal

from torch import Tensor

from understudy.core.settings import Settings
from understudy.methods.siamese import Siamese
from understudy.models.heads import ProjectorSettings
from understudy.models.network import Network
from understudy.objectives import AnyObjective
from understudy.objectives.objective import combine
from understudy.objectives.selfsup.prediction import PredictionSettings


class SimsiamSettings(Settings):
    """SimSiam: predicts the network's own projection of the other view; no copy, no other images.

    Departs from the authors' code: the predictor's learning rate falls as all others do.
    """

    kind: Literal["simsiam"] = "simsiam"
    projector: ProjectorSettings = ProjectorSettings(hidden=2048, out=2048)
    """The head between the backbone and the objective; left behind afterwards."""
    terms: tuple[AnyObjective, ...] = (PredictionSettings(),)
    """Objectives to add up; each carries its own weight."""

    def build(self, network: Network, *, images: Tensor, seed: int) -> Siamese:
        """The method over a network that has this projector.

        Args:
            network: What learns.
            images: [n], int64: positions in the pack of the images that the training shows.
            seed: Of the objectives' own parameters and queues.

        Raises:
            UsageError: The terms do not fit the network.
        """
        objective = combine(
            self.terms, student=network.shape, guidance=network.shape, images=images, seed=seed
        )
        return Siamese(network, objective, fused=False)
