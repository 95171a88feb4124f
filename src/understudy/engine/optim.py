"""Optimizers by name; each can skip a step that is not finite without asking the device.

Nothing of one dimension decays: neither biases nor batch norm. So it is in the authors' code of
SimCLR, BYOL, Barlow Twins, VICReg and DINO, and in solo-learn's with LARS. Those of MoCo, SimSiam
and SwAV let all decay, and so does lightly's benchmark: every recipe departs so that has its rates
from one of them.
"""

from collections.abc import Iterable, Sequence
from typing import Annotated, Literal

import torch
from pydantic import Field, NonNegativeFloat, PositiveFloat
from torch import Tensor, nn
from torch.optim import Optimizer

from understudy.core.errors import UsageError
from understudy.core.settings import Settings
from understudy.engine.lars import Lars

Below1 = Annotated[float, Field(ge=0, lt=1)]


class SgdSettings(Settings):
    """Stochastic gradient descent with momentum."""

    kind: Literal["sgd"] = "sgd"
    learning_rate: PositiveFloat = 0.1
    """Peak learning rate."""
    momentum: Below1 = 0.9
    """Share of the last step's direction that the next one keeps."""
    nesterov: bool = True
    """Look ahead along the momentum (Nesterov)."""
    weight_decay: NonNegativeFloat = 5e-4  # the common CIFAR recipe
    """L2 decay of tensors with two or more dimensions; biases and batch norm are spared."""

    def build(self, module: nn.Module) -> Optimizer:
        """The optimizer over every parameter of `module` that learns."""
        optimizer = torch.optim.SGD(
            _groups(module, self.weight_decay),
            lr=self.learning_rate,
            momentum=self.momentum,
            nesterov=self.nesterov and self.momentum > 0,
            fused=True,
        )
        if self.momentum:  # torch would leave it unset where the first step is not finite
            for weight in (each for group in optimizer.param_groups for each in group["params"]):
                optimizer.state[weight]["momentum_buffer"] = torch.zeros_like(weight)
        return optimizer


class AdamWSettings(Settings):
    """Adam with decoupled weight decay (Loshchilov and Hutter 2019)."""

    kind: Literal["adamw"] = "adamw"
    learning_rate: PositiveFloat = 1e-3
    """Peak learning rate."""
    beta1: Below1 = 0.9
    """Decay of the running mean of gradients."""
    beta2: Below1 = 0.999
    """Decay of the running mean of their squares."""
    weight_decay: NonNegativeFloat = 0.05
    """Decoupled decay of tensors with two or more dimensions."""

    def build(self, module: nn.Module) -> Optimizer:
        """The optimizer over every parameter of `module` that learns."""
        return torch.optim.AdamW(
            _groups(module, self.weight_decay),
            lr=self.learning_rate,
            betas=(self.beta1, self.beta2),
            fused=True,
        )


class LarsSettings(Settings):
    """Layer-wise adaptive rates, for SimCLR with large batches."""

    kind: Literal["lars"] = "lars"
    learning_rate: PositiveFloat = 1.0  # SimCLR's CIFAR recipe at batch 256
    """Peak learning rate."""
    momentum: Below1 = 0.9
    """Share of the last step's direction that the next one keeps."""
    weight_decay: NonNegativeFloat = 1e-4  # SimCLR's CIFAR recipe
    """L2 decay of tensors with two or more dimensions."""
    trust: PositiveFloat = 1e-3  # the authors'
    """Coefficient of the trust ratio."""
    spared: tuple[str, ...] = ()
    """Parts of the network that are neither adapted nor decayed, such as `classifier`."""

    def build(self, module: nn.Module) -> Optimizer:
        """The optimizer over every parameter of `module` that learns.

        Raises:
            UsageError: A part that is to be spared is none of the network's.
        """
        return Lars(
            _apart(module, self.spared, self.weight_decay),
            lr=self.learning_rate,
            momentum=self.momentum,
            weight_decay=self.weight_decay,
            trust=self.trust,
        )


AnyOptimizer = Annotated[
    SgdSettings | AdamWSettings | LarsSettings,
    Field(discriminator="kind"),
]


def _groups(module: nn.Module, weight_decay: float) -> Iterable[dict[str, object]]:
    """Weights and, apart from them and without decay, everything of one dimension."""
    return _by_dimension(
        [weight for weight in module.parameters() if weight.requires_grad], weight_decay
    )


def _by_dimension(learning: Sequence[Tensor], weight_decay: float) -> list[dict[str, object]]:
    return [
        {"params": [w for w in learning if w.ndim > 1], "weight_decay": weight_decay},
        {"params": [w for w in learning if w.ndim <= 1], "weight_decay": 0.0},
    ]


def _apart(
    module: nn.Module, spared: Sequence[str], weight_decay: float
) -> list[dict[str, object]]:
    """As `_groups`, with the tensors of the parts that are spared in a group of their own."""
    named = {name: w for name, w in module.named_parameters() if w.requires_grad}
    parts = {part for name in named for part in name.split(".")}
    if strangers := [part for part in spared if part not in parts]:
        raise UsageError(
            f"optimizer.spared: {', '.join(strangers)} is no part that learns. Name `classifier`, "
            "or leave `spared` out."
        )
    own = {name: w for name, w in named.items() if set(spared) & set(name.split("."))}
    others = [w for name, w in named.items() if name not in own]
    groups = _by_dimension(others, weight_decay)
    group = {"params": list(own.values()), "weight_decay": 0.0, "adapted": False}
    return [*groups, group] if own else groups
