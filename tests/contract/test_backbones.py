"""Laws that every backbone keeps, those of the catalogue and those to come."""

from math import ceil
from pathlib import Path

import pytest
import torch
from pydantic import TypeAdapter
from safetensors.torch import load_file, save_file
from torch.testing import assert_close

from understudy.core.types import Tap
from understudy.models import AnyBackbone, every_backbone
from understudy.models.backbone import Backbone, BackboneSettings
from understudy.models.cifar_resnet import CifarResNetSettings
from understudy.models.heads import ProjectorSettings
from understudy.models.network import NetworkSettings
from understudy.models.resnet_by_depth import ResNetByDepthSettings
from understudy.models.timm_backbone import TimmSettings

BOTH = frozenset({Tap.POOLED, Tap.STAGES})

SMALL: tuple[BackboneSettings, ...] = (
    CifarResNetSettings(depth=8, width=0.5),
    CifarResNetSettings(depth=8, width=4),
    ResNetByDepthSettings(depth=3, width=0.125),
    ResNetByDepthSettings(depth=6, width=0.125),
    ResNetByDepthSettings(depth=10, width=0.125),
    TimmSettings(name="test_resnet", small_stem=True),  # timm's own miniatures
    TimmSettings(name="test_resnet"),
    TimmSettings(name="test_efficientnet"),
    TimmSettings(name="test_convnext"),
    TimmSettings(
        name="test_vit", options={"img_size": 32, "patch_size": 8, "dynamic_img_size": True}
    ),
)

every_small = pytest.mark.parametrize(
    "settings", SMALL, ids=lambda settings: "-".join(str(value) for _, value in settings)
)


def built(settings: BackboneSettings, channels: int = 3) -> Backbone:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(7)
        return settings.build(channels)


def test_the_laws_run_on_every_backbone_of_the_catalogue() -> None:
    assert {type(settings) for settings in SMALL} == set(every_backbone())


@every_small
@pytest.mark.parametrize("size", [32, 64])
def test_the_declared_shape_is_the_actual_one(settings: BackboneSettings, size: int) -> None:
    backbone = built(settings).eval()

    with torch.no_grad():
        outputs = backbone(torch.rand(2, 3, size, size), BOTH)

    assert outputs.pooled is not None and outputs.pooled.shape == (2, backbone.shape.pooled)
    assert [tuple(stage.shape) for stage in outputs.stages] == [
        (2, stage.channels, ceil(size / stage.reduction), ceil(size / stage.reduction))
        for stage in backbone.shape.stages
    ]
    reductions = [stage.reduction for stage in backbone.shape.stages]
    assert reductions == sorted(set(reductions)) or len(reductions) == 1
    assert backbone.shape.num_classes is None and backbone.shape.projected is None


@every_small
def test_pooled_features_are_the_mean_of_the_last_stage_where_it_says_so(
    settings: BackboneSettings,
) -> None:
    backbone = built(settings).eval()
    images = torch.rand(4, 3, 32, 32)

    with torch.no_grad():
        outputs = backbone(images, BOTH)

    last = outputs.stages[-1]
    assert outputs.pooled is not None
    averages = outputs.pooled.shape == last.shape[:2] and torch.allclose(
        outputs.pooled, last.mean(dim=(2, 3)), atol=1e-5
    )
    assert backbone.shape.averaged is (averages and bool((last >= 0).all()))


@every_small
def test_its_layers_are_all_of_its_tensors_each_once_and_shallow_first(
    settings: BackboneSettings,
) -> None:
    backbone = built(settings)

    layers = backbone.layers()

    named = [name for layer in layers for name in layer]
    assert sorted(named) == sorted(backbone.state_dict())
    assert len(layers) > 1
    order = list(backbone.state_dict())
    firsts = [min(order.index(name) for name in layer) for layer in layers[1:]]
    assert firsts == sorted(firsts)


@every_small
@pytest.mark.parametrize("taps", [{Tap.POOLED}, {Tap.STAGES}, set()], ids=str)
def test_it_answers_what_is_asked_for_and_nothing_else(
    settings: BackboneSettings, taps: set[Tap]
) -> None:
    backbone = built(settings).eval()
    images = torch.rand(2, 3, 32, 32)

    with torch.no_grad():
        all_of_it = backbone(images, BOTH)
        outputs = backbone(images, frozenset(taps))

    assert (outputs.pooled is not None) is (Tap.POOLED in taps)
    assert bool(outputs.stages) is (Tap.STAGES in taps)
    if outputs.pooled is not None:
        assert_close(outputs.pooled, all_of_it.pooled)
    assert_close(outputs.stages, all_of_it.stages if outputs.stages else ())


@every_small
@pytest.mark.parametrize("channels", [1, 5])
def test_it_takes_any_number_of_channels(settings: BackboneSettings, channels: int) -> None:
    backbone = built(settings, channels=channels)

    outputs = backbone(torch.rand(2, channels, 32, 32), BOTH)
    assert outputs.pooled is not None
    outputs.pooled.square().sum().backward()

    assert outputs.pooled.shape == (2, backbone.shape.pooled)
    assert all(weight.grad is not None for weight in backbone.parameters())


@every_small
def test_weights_survive_a_file(settings: BackboneSettings, tmp_path: Path) -> None:
    original = built(settings).eval()
    save_file(original.state_dict(), tmp_path / "weights.safetensors")

    restored = settings.build(3).eval()
    restored.load_state_dict(load_file(tmp_path / "weights.safetensors"))

    images = torch.rand(2, 3, 32, 32)
    with torch.no_grad():
        found, expected = restored(images, BOTH), original(images, BOTH)
    assert_close(found, expected, rtol=0, atol=0)


@every_small
def test_the_memory_format_does_not_change_the_values(settings: BackboneSettings) -> None:
    backbone = built(settings).eval()
    images = torch.rand(2, 3, 32, 32)

    with torch.no_grad():
        expected = backbone(images, BOTH)
        rearranged = backbone.to(memory_format=torch.channels_last)
        found = rearranged(images.to(memory_format=torch.channels_last), BOTH)

    assert_close(found, expected, rtol=1e-4, atol=1e-5)


@every_small
def test_a_network_is_a_function_of_its_seed(settings: BackboneSettings) -> None:
    network = NetworkSettings.model_validate(
        {
            "backbone": settings,
            "channels": 3,
            "size": 32,
            "classes": ("cat", "dog"),
            "projector": ProjectorSettings(hidden=8, out=4),
        }
    )
    torch.manual_seed(0)
    before = torch.get_rng_state()

    def weights(seed: int) -> dict[str, torch.Tensor]:
        return network.build(mean=(0.5,) * 3, std=(0.2,) * 3, seed=seed).state_dict()

    first = weights(seed=3)
    assert torch.equal(torch.get_rng_state(), before)
    torch.rand(17)
    again, other = weights(seed=3), weights(seed=4)
    assert_close(first, again, rtol=0, atol=0)
    drawn = [name for name in first if not torch.equal(first[name], other[name])]
    assert any(name.startswith("backbone") for name in drawn)
    assert any(name.startswith("classifier") for name in drawn)
    assert any(name.startswith("projector") for name in drawn)


@every_small
def test_settings_survive_json_and_the_catalogue(settings: BackboneSettings) -> None:
    union: TypeAdapter[BackboneSettings] = TypeAdapter(AnyBackbone)

    assert union.validate_json(settings.model_dump_json()) == settings


@pytest.mark.parametrize("kind", every_backbone())
def test_every_setting_is_documented(kind: type[BackboneSettings]) -> None:
    undocumented = [
        name
        for name, field in kind.model_fields.items()
        if name != "kind" and not field.description
    ]

    assert kind.__doc__
    assert undocumented == []
