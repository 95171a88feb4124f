"""DINO (Caron et al., ICCV 2021, arXiv:2104.14294), for convolutional networks too."""

from typing import Literal, Self

from pydantic import model_validator
from torch import Tensor

from understudy.core.settings import Settings
from understudy.methods.momentum import Momentum, Share, must_read_target
from understudy.models.heads import ProjectorSettings, Prototypes
from understudy.models.network import Network
from understudy.objectives import AnyObjective
from understudy.objectives.objective import Combined, combine
from understudy.objectives.selfsup.self_distillation import SelfDistillationSettings


class Dino(Momentum):
    """Learns from its target while its prototypes stand still at first.

    Args:
        network: What learns; its projector ends in prototypes.
        objective: Compares its outputs with those of the target.
        start: The target's momentum at the beginning.
        end: At the end of the training.
        frozen: Share of the training in which the prototypes stand still.
    """

    def __init__(
        self, network: Network, objective: Combined, *, start: float, end: float, frozen: float
    ) -> None:
        super().__init__(network, objective, start=start, end=end, splits=1)
        self.frozen = frozen
        self._prototypes = [each for each in network.modules() if isinstance(each, Prototypes)]

    def at(self, progress: float) -> None:
        """Also lets the prototypes learn, after their share of the training.

        Without a gradient, not with one of zero, the optimizer spares them: LARS, whose steps have
        a length of their own, would let decay leave nothing of them.
        """
        super().at(progress)
        for prototypes in self._prototypes:
            prototypes.requires_grad_(progress >= self.frozen)


class DinoSettings(Settings):
    """DINO: predicts which prototypes a slower copy of itself finds in other views.

    Each view passes by itself; in the authors' code, those of one size pass together.
    """

    kind: Literal["dino"] = "dino"
    projector: ProjectorSettings = ProjectorSettings(
        hidden=2048, out=256, layers=3, normed="inner", prototypes=4096
    )
    """The head between the backbone and the objective; left behind afterwards."""
    terms: tuple[AnyObjective, ...] = (SelfDistillationSettings(),)
    """Objectives to add up; each carries its own weight."""
    momentum: Share = 0.99  # lightly's for CIFAR-10; the authors': 0.996, and 0.9995 at batch 256
    """Share of its own weights that the target keeps at a step, at the beginning."""
    final_momentum: Share = 1.0  # the authors'
    """The same at the end; between both it follows half a cosine."""
    frozen: Share = 0.01  # the authors': one epoch of 100
    """Share of the training in which the prototypes stand still."""

    @model_validator(mode="after")
    def _has_prototypes(self) -> Self:
        if self.projector.prototypes is None:
            raise ValueError(
                "`projector.prototypes` is needed: DINO compares which prototypes two views "
                "have. Set it, 4096 for instance"
            )
        return self

    def build(self, network: Network, *, images: Tensor, seed: int) -> Dino:
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
        return Dino(
            network,
            objective,
            start=self.momentum,
            end=self.final_momentum,
            frozen=self.frozen,
        )
