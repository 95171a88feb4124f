import ast
import socket
from pathlib import Path

import pytest
import torch
from torch import nn

import understudy.models.timm_backbone
from understudy.core.errors import UsageError
from understudy.core.settings import checked
from understudy.core.types import Tap
from understudy.models.timm_backbone import TimmSettings

STAGES = frozenset({Tap.STAGES})


def test_a_model_that_was_registered_later_is_known_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("understudy.models.timm_backbone._listed", frozenset)

    assert TimmSettings(name="resnet18").name == "resnet18"


def test_an_unknown_name_is_answered_with_the_five_nearest() -> None:
    with pytest.raises(UsageError, match="name = 'resnet81'  is no model of timm") as caught:
        checked(TimmSettings, {"name": "resnet81"}, origin="here")

    nearest = str(caught.value).split("nearest are ")[1].split(". ")[0].split(", ")
    assert len(nearest) == 5
    assert "resnet18" in nearest


@pytest.mark.parametrize("name", ["resnet18.a1_in1k", "hf-hub:timm/resnet18", "local-dir:/tmp"])
def test_names_that_would_fetch_weights_are_unknown(name: str) -> None:
    with pytest.raises(UsageError, match="no model"):
        checked(TimmSettings, {"name": name}, origin="here")


@pytest.mark.parametrize("option", ["pretrained", "checkpoint_path", "num_classes", "in_chans"])
def test_options_cannot_ask_for_weights_or_heads(option: str) -> None:
    with pytest.raises(UsageError, match=f"options.*must leave out {option}"):
        checked(TimmSettings, {"name": "resnet18", "options": {option: 1}}, origin="here")


def test_nothing_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise AssertionError("the network was used")

    monkeypatch.setattr(socket.socket, "connect", refused)
    monkeypatch.setattr(socket, "getaddrinfo", refused)

    assert TimmSettings(name="test_resnet").build(3).shape.pooled == 96


def test_an_option_that_the_model_does_not_know_is_told_with_timms_reason() -> None:
    with pytest.raises(UsageError, match=r"cannot build 'test_resnet' for 3 .*'nonsense'"):
        TimmSettings(name="test_resnet", options={"nonsense": 1}).build(3)


@pytest.mark.parametrize("name", ["resnet18", "test_resnet"])
def test_a_small_stem_keeps_the_resolution(name: str) -> None:
    """A plain stem of one 7x7 convolution, and a deep one of three 3x3 convolutions."""
    images = torch.rand(2, 3, 32, 32)

    usual = TimmSettings(name=name).build(3)(images, STAGES).stages
    small = TimmSettings(name=name, small_stem=True).build(3)(images, STAGES).stages

    assert [stage.shape[-1] for stage in usual] == [16, 8, 4, 2, 1]
    assert [stage.shape[-1] for stage in small] == [32, 16, 8, 4]


def test_a_model_without_a_resnet_stem_is_refused() -> None:
    with pytest.raises(UsageError, match=r"'test_convnext' is a ConvNeXt.*resnet18"):
        TimmSettings(name="test_convnext", small_stem=True).build(3)


def test_timm_is_imported_only_where_a_model_is_built() -> None:
    """It takes seconds, and settings are validated by commands that build nothing."""
    tree = ast.parse(Path(understudy.models.timm_backbone.__file__).read_text())

    at_import = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]

    assert not any("timm" in ast.unparse(node).split(".")[0].split() for node in at_import)


@pytest.mark.parametrize(
    ("name", "stages", "last"),
    [
        ("test_resnet", 4, {"layer4"}),
        ("test_convnext", 4, {"stages", "head"}),  # a last norm belongs to the last stage
        ("test_vit", 6, {"blocks", "norm"}),
    ],
)
def test_stages_are_those_that_timm_gives_rates_of_their_own(
    name: str, stages: int, last: set[str]
) -> None:
    _, *found = TimmSettings(name=name).build(3).layers()

    assert len(found) == stages
    assert {tensor.split(".")[1] for tensor in found[-1]} == last


def test_a_model_that_timm_does_not_divide_is_one_layer() -> None:
    backbone = TimmSettings(name="test_resnet").build(3)
    backbone.model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))

    assert backbone.layers() == (tuple(backbone.state_dict()),)
