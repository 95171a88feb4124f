import pytest
import torch
from torch import nn

from understudy.engine.layers import layers_objection, lower_rates
from understudy.engine.optim import AdamWSettings, LarsSettings, SgdSettings
from understudy.models.cifar_resnet import CifarResNetSettings
from understudy.models.network import Network, NetworkSettings

ALL = [SgdSettings(), AdamWSettings(), LarsSettings()]


def network() -> Network:
    settings = NetworkSettings(
        backbone=CifarResNetSettings(depth=8, width=0.5), channels=1, size=16, classes=("a", "b")
    )
    return settings.build(mean=[0.4], std=[0.2], seed=1)


def rates(optimizer: torch.optim.Optimizer, module: nn.Module) -> dict[str, float]:
    by_weight = {
        weight: group["lr"] for group in optimizer.param_groups for weight in group["params"]
    }
    return {name: by_weight[weight] for name, weight in module.named_parameters()}


@pytest.mark.parametrize("settings", ALL, ids=lambda settings: settings.kind)
def test_each_stage_learns_slower_than_what_stands_behind_it(
    settings: SgdSettings | AdamWSettings | LarsSettings,
) -> None:
    method = nn.ModuleDict({"network": network(), "objective": nn.Linear(2, 2)})
    optimizer = settings.build(method)
    decays = {
        weight: group["weight_decay"]
        for group in optimizer.param_groups
        for weight in group["params"]
    }

    lower_rates(optimizer, method, decay=0.5)

    peak = settings.learning_rate
    for name, rate in rates(optimizer, method).items():
        parts = name.split(".")
        stages = {"0": 3, "1": 2, "2": 1}
        depth = 0 if parts[1] != "backbone" else 4 if parts[2] == "stem" else stages[parts[3]]
        assert rate == pytest.approx(peak * 0.5**depth), name
    listed = [weight for group in optimizer.param_groups for weight in group["params"]]
    assert len(listed) == len(set(listed)) == len(list(method.parameters()))
    for group in optimizer.param_groups:
        assert {decays[weight] for weight in group["params"]} == {group["weight_decay"]}


def test_without_decay_the_groups_stay_as_they_are() -> None:
    module = network()
    optimizer = SgdSettings().build(module)
    before = [list(group["params"]) for group in optimizer.param_groups]

    lower_rates(optimizer, module, decay=1.0)

    assert [list(group["params"]) for group in optimizer.param_groups] == before


def test_a_network_without_stages_is_refused_where_rates_are_to_fall() -> None:
    undivided = nn.Linear(2, 2)

    assert "not divided into stages" in str(layers_objection(undivided, decay=0.5))
    assert layers_objection(undivided, decay=1.0) is None
    assert layers_objection(network(), decay=0.5) is None
