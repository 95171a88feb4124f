from collections.abc import Callable
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor
from torch.testing import assert_close
from torchvision.transforms.v2 import InterpolationMode
from torchvision.transforms.v2 import functional as oracle

from understudy.data.augment.rand_augment import (
    OPERATIONS,
    Operation,
    RandAugment,
    RandAugmentSettings,
)
from understudy.data.augment.transform import Dice, Frame, Size, of_views

COUNT = 14_000
FRAME = Frame(source=Size(9, 7), target=Size(9, 7))


def only(name: Operation, strengths: Tensor) -> RandAugment:
    places = torch.full((len(strengths), 1), OPERATIONS.index(name))
    return RandAugment(places, strengths[:, None])


@pytest.mark.parametrize(
    ("name", "oracle_of"),
    [
        ("identity", lambda image, _: image),
        ("autocontrast", lambda image, _: oracle.autocontrast(image)),
        ("brightness", lambda image, s: oracle.adjust_brightness(image, 0.05 + 0.9 * s)),
        ("contrast", lambda image, s: oracle.adjust_contrast(image, 0.05 + 0.9 * s)),
        ("color", lambda image, s: oracle.adjust_saturation(image, 0.05 + 0.9 * s)),
        ("sharpness", lambda image, s: oracle.adjust_sharpness(image, 0.05 + 0.9 * s)),
        ("posterize", lambda image, s: oracle.posterize(image, 4 + int(5 * s))),
        ("solarize", oracle.solarize),
    ],
)
def test_an_operation_covers_fixmatchs_range(
    colours: Tensor, name: Operation, oracle_of: Callable[[Tensor, float], Tensor]
) -> None:
    strengths = torch.linspace(0, 0.99, len(colours))

    views = only(name, strengths).apply(colours.clone())

    for view, image, strength in zip(views, colours, strengths.tolist(), strict=True):
        assert_close(view, oracle_of(image, strength), atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", ["rotate", "shear_x", "shear_y", "translate_x", "translate_y"])
def test_geometry_goes_both_ways_and_not_at_all_in_the_middle(
    colours: Tensor, name: Operation
) -> None:
    images = colours[30:33]

    less, none, more = only(name, torch.tensor([0.0, 0.5, 0.999])).apply(images.clone())

    assert_close(none, images[1])
    assert not torch.allclose(less, images[0], atol=0.1)
    assert not torch.allclose(more, images[2], atol=0.1)


@pytest.mark.parametrize(
    ("name", "of_most"),
    [
        ("rotate", {"angle": 30.0}),
        ("shear_x", {"shear": [-16.69924423399362, 0.0]}),  # the angle whose slope is 0.3
        ("shear_y", {"shear": [0.0, -16.69924423399362]}),
        ("translate_x", {"translate": [3, 0]}),
        ("translate_y", {"translate": [0, 3]}),
    ],
)
@pytest.mark.parametrize("strength", [0.0, 1.0])
def test_geometry_goes_as_far_as_fixmatchs(
    name: Operation, of_most: dict[str, Any], strength: float
) -> None:
    images = torch.rand(2, 3, 10, 10)
    nothing = {"angle": 0.0, "translate": [0, 0], "scale": 1.0, "shear": [0.0, 0.0]}
    signed = {
        key: [number * (2 * strength - 1) for number in value]
        if isinstance(value, list)
        else value * (2 * strength - 1)
        for key, value in of_most.items()
    }

    views = only(name, torch.full((2,), strength)).apply(images.clone())

    bilinear = InterpolationMode.BILINEAR
    expected = oracle.affine(images, interpolation=bilinear, **{**nothing, **signed})
    assert_close(views, expected, atol=1e-5, rtol=0)


def test_operations_follow_each_other_in_their_order(colours: Tensor) -> None:
    """Solarised and then darkened is another image than darkened and then solarised."""
    solarize, brightness = OPERATIONS.index("solarize"), OPERATIONS.index("brightness")
    strengths = torch.tensor([[0.5, 0.5]])
    one, other = (
        RandAugment(torch.tensor([order]), strengths).apply(colours[:1] + 0.9)
        for order in ([solarize, brightness], [brightness, solarize])
    )

    assert_close(one, torch.full_like(one, 0.5 * 0.1))
    assert_close(other, torch.full_like(other, 0.45))


def test_all_operations_are_equally_likely_at_every_place(dice: Callable[[int], Dice]) -> None:
    drawn = RandAugmentSettings(operations=3).draw(dice(COUNT), FRAME)

    assert drawn.operation.shape == drawn.strength.shape == (COUNT, 3)
    for place in drawn.operation.unbind(1):
        counts = place.bincount(minlength=14)
        expected = COUNT / 14
        assert ((counts - expected) ** 2 / expected).sum() < 34.5  # 0.1 % of chi-square, 13 degrees
    assert (
        torch.corrcoef(torch.cat([drawn.operation.T.float(), drawn.strength.T])).triu(1).abs().max()
        < 5 / COUNT**0.5
    )


def test_only_what_is_listed_is_drawn_and_only_so_often(dice: Callable[[int], Dice]) -> None:
    settings = RandAugmentSettings(probability=0.25, among=("solarize", "rotate"))

    operation = settings.draw(dice(COUNT), FRAME).operation

    listed = {OPERATIONS.index("solarize"), OPERATIONS.index("rotate")}
    assert set(operation.flatten().tolist()) == {-1, *listed}
    assert torch.equal(operation[:, 0] == -1, operation[:, 1] == -1)
    share = (operation[:, 0] != -1).double().mean()
    assert abs(share - 0.25) < 4 * (0.25 * 0.75 / COUNT) ** 0.5


def test_an_image_is_changed_alike_whatever_stands_beside_it(
    colours: Tensor, dice: Callable[[int], Dice]
) -> None:
    """But for what a rounding moves over the edge of a level, a fifth of a per cent at most."""
    images = (colours * 255).round() / 255
    drawn = RandAugmentSettings().draw(dice(len(images)), FRAME)

    together = drawn.apply(images.clone())
    alone = [
        of_views(drawn, slice(n, n + 1)).apply(images[n : n + 1].clone())
        for n in range(len(images))
    ]

    apart = (together - torch.cat(alone)).abs() > 1e-5
    assert apart.double().mean() <= 0.002


def test_a_change_of_colour_wants_colours() -> None:
    settings = RandAugmentSettings(among=("color", "rotate", "solarize"))

    assert settings.objection(3) is None
    assert settings.objection(12) == (
        "draws `color`, which needs 3 channels; list the others: `among: [rotate, solarize]`"
    )
    assert RandAugmentSettings(among=("rotate",)).objection(12) is None


def test_nothing_to_draw_from_is_refused() -> None:
    with pytest.raises(ValidationError, match="among"):
        RandAugmentSettings(among=())
