"""The moving average of a network's weights (Tarvainen and Valpola 2017, arXiv:1703.01780)."""

from copy import deepcopy

import torch
from torch import Tensor, nn

from understudy.core.types import Outputs, Shape, Tap
from understudy.models.ensemble import Ensemble
from understudy.models.network import Network


class Average(nn.Module):
    """Follows a network: parameters as an exponential moving average, buffers as copies.

    The buffers (batch-norm statistics) are averages over steps already; averaging them again would
    only make them late. The mode follows `train` and `eval`; gradients never flow.

    Args:
        network: What to follow; it stays the caller's, and out of this module's state.
    """

    def __init__(self, network: Network | Ensemble) -> None:
        super().__init__()
        self.network = deepcopy(network).requires_grad_(False)
        self._followed = (network,)  # in a tuple, so that it is no sub-module of this one

    @property
    def shape(self) -> Shape:
        """The network's widths."""
        return self.network.shape

    @torch.no_grad()
    def update(self, decay: float | Tensor) -> None:
        """Moves each parameter to `decay` x itself + (1 - decay) x the followed one.

        Args:
            decay: From 0, a copy, to 1, no move at all.
        """
        (followed,) = self._followed
        averages: list[Tensor] = list(self.network.parameters())
        ways = torch._foreach_sub(list(followed.parameters()), averages)
        torch._foreach_mul_(ways, 1.0 - torch.as_tensor(decay))
        torch._foreach_add_(averages, list(ways))
        torch._foreach_copy_(list(self.network.buffers()), list(followed.buffers()))

    @torch.no_grad()
    def forward(self, images: Tensor, taps: frozenset[Tap]) -> Outputs:
        """As the network, with the averaged weights."""
        outputs: Outputs = self.network(images, taps)
        return outputs
