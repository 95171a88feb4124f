"""BYOL (Grill et al., NeurIPS 2020, arXiv:2006.07733): a view predicts what a slower copy sees."""

from typing import Literal

from torch import Tensor

from understudy.core.settings import Settings
from understudy.methods.momentum import Momentum, Share, must_read_target
from understudy.models.heads import ProjectorSettings
from understudy.models.network import Network
from understudy.objectives import AnyObjective
from understudy.objectives.objective import combine
from understudy.objectives.selfsup.prediction import PredictionSettings


class ByolSettings(Settings):
    """BYOL: predicts a moving average of itself from the other view, without other images."""

    kind: Literal["byol"] = "byol"
    projector: ProjectorSettings = ProjectorSettings(hidden=1024, out=256, normed="inner")
    """The head between the backbone and the objective; left behind afterwards."""
    terms: tuple[AnyObjective, ...] = (PredictionSettings(),)
    """Objectives to add up; each carries its own weight."""
    momentum: Share = 0.99  # the authors' for 100 and 300 epochs; 0.97 for 40, 0.996 for 1000
    """Share of its own weights that the target keeps at a step, at the beginning. The target is a
    mean of about 1 / (1 - share) steps: with a few hundred of them, 0.9 follows sooner."""
    final_momentum: Share = 1.0  # the authors'
    """The same at the end; between both it follows half a cosine."""

    def build(self, network: Network, *, images: Tensor, seed: int) -> Momentum:
        """The method over a network that has this projector.

        Args:
            network: What learns.
            images: [n], int64: positions in the pack of the images that the training shows.
            seed: Of the objectives' own parameters and queues.

        Raises:
            UsageError: The terms do not fit the network, or none reads its target.
        """
        objective = combine(
            self.terms, student=network.shape, guidance=network.shape, images=images, seed=seed
        )
        must_read_target(objective, self.kind)
        return Momentum(network, objective, start=self.momentum, end=self.final_momentum, splits=1)
