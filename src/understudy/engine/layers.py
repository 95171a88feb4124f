"""Rates that fall towards the images: layer-wise decay (Clark et al. 2020, arXiv:2003.10555)."""

from torch import nn
from torch.optim import Optimizer

from understudy.models.network import Network


def lower_rates(optimizer: Optimizer, method: nn.Module, *, decay: float) -> None:
    """Lets each stage of a backbone learn slower than what stands behind it.

    Heads, and what an objective learns, have the full rate; the last stage `decay` times it, the
    one before `decay` squared times it, and so on down to the stem: as in BEiT and timm, where
    layers are counted alike. What stages are, `Backbone.layers` says.

    Args:
        optimizer: As built; its groups are divided, and keep everything but the rate.
        method: What it steps; every network in it counts for itself.
        decay: Above 0, at most 1, which changes nothing.
    """
    if decay == 1:
        return
    depths = _depths(method)
    divided = []
    for group in optimizer.param_groups:
        for depth in sorted({depths.get(weight, 0) for weight in group["params"]}):
            own = [weight for weight in group["params"] if depths.get(weight, 0) == depth]
            divided.append({**group, "params": own, "lr": group["lr"] * decay**depth})
    optimizer.param_groups[:] = divided


def layers_objection(method: nn.Module, *, decay: float) -> str | None:
    """Why layers cannot have rates of their own and what to set, or None."""
    if decay == 1 or any(len(one.backbone.layers()) > 1 for one in _networks(method)):
        return None
    return (
        f"`plan.layer_decay` is {decay}, but this backbone is not divided into stages. Set it to "
        "1, or choose another backbone."
    )


def _networks(method: nn.Module) -> list[Network]:
    return [module for module in method.modules() if isinstance(module, Network)]


def _depths(method: nn.Module) -> dict[nn.Parameter, int]:
    """How far each weight of a backbone lies before the heads, counted in stages."""
    found: dict[nn.Parameter, int] = {}
    for network in _networks(method):
        weights = dict(network.backbone.named_parameters())
        layers = network.backbone.layers()
        for place, names in enumerate(layers):
            depth = len(layers) - place
            found |= {weights[name]: depth for name in names if name in weights}
    return found
