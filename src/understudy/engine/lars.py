"""Layer-wise adaptive rate scaling (You et al. 2017, arXiv:1708.03888), as SimCLR uses it."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer


class Lars(Optimizer):
    """SGD with momentum whose step is scaled, per tensor, by the norm of the weights.

    Tensors of one dimension (biases, batch norm) are neither adapted nor decayed, as in SimCLR;
    nor is a group with `adapted=False`.
    The learning rate multiplies the update when it enters the momentum, as in the authors' and
    SimCLR's code; many PyTorch ports multiply it outside, which differs under a schedule.

    `found_inf`, when set (a tensor, 1 where a gradient is not finite), makes a step change
    nothing without asking the device: the protocol of torch's fused optimizers.

    Args:
        params: Parameters or groups.
        lr: Peak learning rate.
        momentum: Share of the last update that goes on.
        weight_decay: L2 decay of tensors with two or more dimensions.
        trust: The coefficient eta of the paper.
    """

    found_inf: Tensor | None = None

    def __init__(
        self,
        params: Iterable[Any],
        *,
        lr: float,
        momentum: float,
        weight_decay: float,
        trust: float,
    ) -> None:
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "weight_decay": weight_decay,
            "trust": trust,
            "adapted": True,
        }
        super().__init__(params, defaults)

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Takes one step from the gradients."""
        assert closure is None, "one loop, one forward: closures have no place in it"
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is not None:
                    self._update(weight, group)

    def _update(self, weight: Tensor, group: dict[str, Any]) -> None:
        gradient = weight.grad
        assert gradient is not None
        spoiled = self.found_inf
        if spoiled is not None:
            gradient = torch.where(spoiled.bool(), torch.zeros_like(gradient), gradient)
        if weight.ndim > 1 and group["adapted"]:
            gradient = gradient.add(weight, alpha=group["weight_decay"])
            gradient = gradient * _trust_ratio(weight, gradient, group["trust"])

        state = self.state[weight]
        if "momentum_buffer" not in state:
            state["momentum_buffer"] = torch.zeros_like(weight)
        buffer = state["momentum_buffer"]
        update = buffer * group["momentum"] + gradient * group["lr"]
        if spoiled is not None:
            update = torch.where(spoiled.bool(), buffer, update)
            weight.sub_(torch.where(spoiled.bool(), torch.zeros_like(update), update))
        else:
            weight.sub_(update)
        buffer.copy_(update)


def _trust_ratio(weight: Tensor, gradient: Tensor, trust: float) -> Tensor:
    """The trust coefficient x |weight| / |gradient|, or 1 where either is zero."""
    weight_norm, gradient_norm = weight.norm(), gradient.norm()
    ratio = trust * weight_norm / gradient_norm
    return torch.where((weight_norm > 0) & (gradient_norm > 0), ratio, torch.ones_like(ratio))
