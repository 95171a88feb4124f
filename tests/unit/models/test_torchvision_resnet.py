"""On the meta device: names and shapes without a weight."""

import pytest
import timm
import torch
import torchvision
from tests import layouts
from torch import Tensor

from understudy.core.errors import DataError, UsageError
from understudy.models.torchvision_resnet import found_resnet, left_aside, moco_projector


def tensors_of(name: str) -> dict[str, Tensor]:
    with torch.device("meta"):
        return dict(getattr(torchvision.models, name)().state_dict())


@pytest.mark.parametrize("name", ["resnet18", "resnet34", "resnet50", "resnet101"])
def test_every_depth_is_known_and_has_the_names_and_shapes_of_timms(name: str) -> None:
    tensors = layouts.under("module.encoder_q.", tensors_of(name))

    found = found_resnet(tensors, asked="", origin="FILE")

    with torch.device("meta"):
        theirs = timm.create_model(name, num_classes=0).state_dict()
    assert found.backbone.name == name
    assert not found.small_stem
    assert found.channels == 3
    assert {key: tensor.shape for key, tensor in found.tensors.items()} == {
        key: tensor.shape for key, tensor in theirs.items()
    }
    assert set(found.head) == {"fc.weight", "fc.bias"}


@pytest.mark.parametrize("name", ["resnet152", "densenet121", "vit_b_16", "mobilenet_v2"])
def test_another_network_is_refused(name: str) -> None:
    with pytest.raises(DataError, match=r"FILE: (holds no ResNet|the ResNet at)"):
        found_resnet(tensors_of(name), asked="", origin="FILE")


@pytest.mark.parametrize(
    "slow",
    ["module.encoder_k.", "target_encoder.net.", "momentum_backbone.", "target_network.encoder."],
)
def test_a_copy_that_follows_is_left_and_named_alone_it_is_taken(slow: str) -> None:
    tensors = tensors_of("resnet18")
    both = {**layouts.under(slow, tensors), **layouts.under("backbone.", tensors)}

    assert found_resnet(both, asked="", origin="FILE").place == "backbone."
    assert found_resnet(both, asked=slow, origin="FILE").place == slow
    assert found_resnet(layouts.under(slow, tensors), asked="", origin="FILE").place == slow


def test_a_place_is_named_by_its_last_words_whole() -> None:
    tensors = layouts.under("state_dict.module.backbone.", tensors_of("resnet18"))

    assert found_resnet(tensors, asked="module.backbone", origin="FILE").depth == 18
    with pytest.raises(UsageError, match=r"at `state_dict\.module\.backbone`"):
        found_resnet(tensors, asked="bone", origin="FILE")


def test_what_is_left_is_counted_by_part() -> None:
    tensors = {
        **layouts.under("model.net.", tensors_of("resnet18")),
        "model.predictor.0.weight": torch.zeros(1),
        "model.predictor.0.bias": torch.zeros(1),
        "optimizer.state.0.exp_avg": torch.zeros(1),
        "queue": torch.zeros(1),
    }
    found = found_resnet(tensors, asked="", origin="FILE")

    left = left_aside(tensors, found, [])
    fewer = left_aside(tensors, found, ["fc.weight", "fc.bias"])

    assert left == "fc (2), predictor (2), optimizer (1), queue (1)"
    assert fewer == "predictor (2), optimizer (1), queue (1)"


def test_mocos_head_has_the_widths_of_its_layers() -> None:
    head = layouts.under("fc.", layouts.moco_head(512, 24).state_dict())
    found = found_resnet(layouts.bare(layouts.network()) | head, asked="", origin="FILE")

    settings, tensors = moco_projector(found, "FILE")

    assert (settings.hidden, settings.out, settings.layers) == (512, 24, 2)
    assert set(tensors) == set(settings.build(512).state_dict())
