"""MoCo v2 (He et al., CVPR 2020, arXiv:1911.05722; Chen et al. 2020, arXiv:2003.04297)."""

from typing import Literal

from pydantic import PositiveInt
from torch import Tensor

from understudy.core.settings import Settings
from understudy.methods.momentum import Momentum, Share, must_read_target
from understudy.models.heads import ProjectorSettings
from understudy.models.network import Network
from understudy.models.split_norm import split_norms
from understudy.objectives import AnyObjective
from understudy.objectives.objective import combine
from understudy.objectives.selfsup.info_nce import InfoNceSettings


class MocoSettings(Settings):
    """MoCo v2: finds an image's key, made by a slower copy of itself, among a queue of others."""

    kind: Literal["moco"] = "moco"
    projector: ProjectorSettings = ProjectorSettings(normed="none")
    """The head between the backbone and the objective; left behind afterwards."""
    terms: tuple[AnyObjective, ...] = (InfoNceSettings(),)
    """Objectives to add up; each carries its own weight."""
    momentum: Share = 0.99  # the authors' for CIFAR-10; 0.999 for ImageNet
    """Share of its own weights that the target keeps at a step, at the beginning."""
    final_momentum: Share | None = None  # theirs does not move
    """The same at the end; between both it follows half a cosine. By default it does not move."""
    splits: PositiveInt = 8  # the authors' for CIFAR-10, in place of their 8 devices
    """In how many parts batch norm sees a batch; with more than 1, keys are made in another order.
    Without, an image is found by the statistics that it shares with its key."""

    def build(self, network: Network, *, images: Tensor, seed: int) -> Momentum:
        """The method over a network that has this projector.

        Args:
            network: What learns; with more than one split, its batch norms are changed in place.
            images: [n], int64: positions in the pack of the images that the training shows.
            seed: Of the objectives' own parameters and queues.

        Raises:
            UsageError: The terms do not fit the network, none reads its target, or its batch norms
                cannot be split.
        """
        objective = combine(
            self.terms, student=network.shape, guidance=network.shape, images=images, seed=seed
        )
        must_read_target(objective, self.kind)
        if self.splits > 1:
            split_norms(network, self.splits)
        return Momentum(
            network,
            objective,
            start=self.momentum,
            end=self.momentum if self.final_momentum is None else self.final_momentum,
            splits=self.splits,
        )
