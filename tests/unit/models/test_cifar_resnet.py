import pytest

from understudy.core.errors import UsageError
from understudy.core.settings import checked
from understudy.models.cifar_resnet import CifarResNetSettings


@pytest.mark.parametrize(
    ("depth", "width", "parameters"),
    [
        (8, 1, 83_892),
        (14, 1, 181_108),
        (20, 1, 278_324),
        (32, 1, 472_756),
        (44, 1, 667_188),
        (56, 1, 861_620),
        (110, 1, 1_736_564),
        (8, 4, 1_233_540),
        (32, 4, 7_433_860),
    ],
)
def test_parameters_are_those_of_the_distillation_tables(
    depth: int, width: float, parameters: int
) -> None:
    """With a classifier of 100 classes: resnet20 0.28 M, resnet8x4 1.23 M, resnet32x4 7.43 M."""
    backbone = CifarResNetSettings(depth=depth, width=width).build(3)

    classifier = (backbone.shape.pooled + 1) * 100
    assert sum(weight.numel() for weight in backbone.parameters()) + classifier == parameters


@pytest.mark.parametrize(
    ("width", "channels"),
    [
        (0.25, [4, 4, 8, 16]),
        (1, [16, 16, 32, 64]),
        (2, [32, 32, 64, 128]),
        (4, [32, 64, 128, 256]),
    ],
)
def test_the_stem_widens_with_the_stages_up_to_32_channels(
    width: float, channels: list[int]
) -> None:
    backbone = CifarResNetSettings(depth=8, width=width).build(3)

    stem = next(backbone.stem.parameters()).shape[0]
    assert [stem, *(stage.channels for stage in backbone.shape.stages)] == channels
    assert [stage.reduction for stage in backbone.shape.stages] == [1, 2, 4]


@pytest.mark.parametrize("depth", [9, 18, 21, 100])
def test_a_depth_that_is_not_6n_plus_2_is_refused_with_those_that_are(depth: int) -> None:
    with pytest.raises(UsageError, match=rf"depth = {depth}.*8, 14, 20, 32, 44, 56, 110"):
        checked(CifarResNetSettings, {"depth": depth}, origin="here")


@pytest.mark.parametrize("wrong", [{"depth": 2}, {"depth": 9998}, {"width": 0}, {"width": 33}])
def test_sizes_out_of_bounds_are_refused(wrong: dict[str, int]) -> None:
    (key,) = wrong

    with pytest.raises(UsageError, match=key):
        checked(CifarResNetSettings, wrong, origin="here")
