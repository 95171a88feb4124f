import pytest
from torch import nn

from understudy.core.errors import UsageError
from understudy.core.settings import checked
from understudy.models.resnet_by_depth import PLANS, ResNetByDepthSettings


@pytest.mark.parametrize(
    ("depth", "parameters"),
    [(3, 39_498), (4, 122_570), (5, 452_554), (6, 1_767_882), (10, 4_903_242)],
)
def test_parameters_are_those_of_the_study(depth: int, parameters: int) -> None:
    backbone = ResNetByDepthSettings.model_validate({"depth": depth}).build(3)

    classifier = (backbone.shape.pooled + 1) * 10
    assert sum(weight.numel() for weight in backbone.parameters()) + classifier == parameters


@pytest.mark.parametrize("depth", PLANS)
def test_depth_counts_stem_classifier_and_the_convolutions_of_the_blocks(depth: int) -> None:
    backbone = ResNetByDepthSettings.model_validate({"depth": depth, "width": 0.1}).build(3)

    convolutions = [
        module
        for module in backbone.modules()
        if isinstance(module, nn.Conv2d) and module.kernel_size == (3, 3)
    ]
    assert len(convolutions) + 1 == depth


def test_width_scales_every_stage() -> None:
    backbone = ResNetByDepthSettings(depth=10, width=0.25).build(3)

    assert [stage.channels for stage in backbone.shape.stages] == [16, 32, 64, 128]
    assert [stage.reduction for stage in backbone.shape.stages] == [1, 2, 4, 8]


def test_another_depth_is_refused_with_those_there_are() -> None:
    with pytest.raises(UsageError, match=r"depth = 9.*3, 4, 5, 6, 10, 12, 14 or 18"):
        checked(ResNetByDepthSettings, {"depth": 9}, origin="here")
