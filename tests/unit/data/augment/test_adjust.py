from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close
from torchvision.transforms.v2 import functional as oracle

from understudy.data.augment.adjust import brighter, contrasted, gray, hue_shifted, saturated

Adjust = Callable[[Tensor, Tensor], Tensor]


def one_by_one(peer: Callable[[Tensor, float], Tensor], images: Tensor, factors: Tensor) -> Tensor:
    return torch.stack(
        [peer(image, float(factor)) for image, factor in zip(images, factors, strict=True)]
    )


@pytest.mark.parametrize(
    ("ours", "peer"),
    [
        pytest.param(brighter, oracle.adjust_brightness, id="brightness"),
        pytest.param(contrasted, oracle.adjust_contrast, id="contrast"),
        pytest.param(saturated, oracle.adjust_saturation, id="saturation"),
    ],
)
@pytest.mark.parametrize("span", [(0.0, 1.0), (0.6, 1.4), (1.0, 3.0)], ids=str)
def test_blends_have_torchvisions_values(
    ours: Adjust,
    peer: Callable[[Tensor, float], Tensor],
    span: tuple[float, float],
    colours: Tensor,
) -> None:
    factors = torch.linspace(*span, len(colours))

    adjusted = ours(colours, factors.view(-1, 1, 1, 1))

    assert_close(adjusted, one_by_one(peer, colours, factors), atol=2e-6, rtol=0)


@pytest.mark.parametrize("reach", [0.0, 0.1, 0.5])
def test_hue_has_torchvisions_values(reach: float, colours: Tensor) -> None:
    turns = torch.linspace(-reach, reach, len(colours))

    shifted = hue_shifted(colours, turns.view(-1, 1, 1, 1))

    assert_close(shifted, one_by_one(oracle.adjust_hue, colours, turns), atol=5e-6, rtol=0)


def test_hue_of_eight_bit_colours_has_torchvisions_values() -> None:
    """Whole values make ties between channels, on which sectors meet."""
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 4, (50, 3, 16, 16), generator=generator) / 3
    turns = torch.linspace(-0.5, 0.5, 50)

    shifted = hue_shifted(images, turns.view(-1, 1, 1, 1))

    assert_close(shifted, one_by_one(oracle.adjust_hue, images, turns), atol=5e-6, rtol=0)


def test_hue_keeps_greys_and_the_range(colours: Tensor) -> None:
    turns = torch.full((len(colours), 1, 1, 1), 0.3)

    shifted = hue_shifted(colours, turns)

    assert_close(shifted[:3], colours[:3])
    assert shifted.min() >= 0
    assert shifted.max() <= 1


def test_grey_has_torchvisions_values(colours: Tensor) -> None:
    assert_close(gray(colours), oracle.rgb_to_grayscale(colours), atol=1e-6, rtol=0)


def test_a_single_channel_is_contrasted_as_in_torchvision(colours: Tensor) -> None:
    factors = torch.linspace(0, 2, len(colours))

    adjusted = contrasted(colours[:, :1], factors.view(-1, 1, 1, 1))

    expected = one_by_one(oracle.adjust_contrast, colours[:, :1], factors)
    assert_close(adjusted, expected, atol=2e-6, rtol=0)


def test_twelve_channels_are_contrasted_around_their_plain_mean() -> None:
    images = torch.rand(5, 12, 6, 6) / 4 + 0.3

    flat = contrasted(images, torch.zeros(5, 1, 1, 1))

    assert_close(flat, images.mean(dim=(1, 2, 3), keepdim=True).expand_as(images))
