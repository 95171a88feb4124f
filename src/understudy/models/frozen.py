"""A network that teaches and cannot learn."""

from typing import Self

import torch
from torch import Tensor, nn

from understudy.core.types import Outputs, Shape, Tap
from understudy.models.ensemble import Ensemble
from understudy.models.folded import fold
from understudy.models.network import Network


class Frozen(nn.Module):
    """A network that gives answers and never changes: no gradients, no statistics, in any mode.

    It normalises for itself, as every `Network` does, so it may have been trained on other images.

    Args:
        network: Taken over: it is frozen in place, and its batch norms are folded away. Give a
            copy where the original is to learn on or to be saved.
    """

    def __init__(self, network: Network | Ensemble) -> None:
        super().__init__()
        self.network = network.requires_grad_(False).eval()
        fold(self.network)

    @property
    def shape(self) -> Shape:
        """The network's widths."""
        return self.network.shape

    def train(self, mode: bool = True) -> Self:  # noqa: ARG002
        """Stays in evaluation, whatever the mode of the module around it."""
        return super().train(False)

    @torch.no_grad()
    def forward(self, images: Tensor, taps: frozenset[Tap]) -> Outputs:
        """As the network; nothing that comes out carries a gradient."""
        if any(module.training for module in self.network.modules()):  # reached past `train`
            self.network.eval()
        outputs: Outputs = self.network(images, taps)
        return outputs
