from collections.abc import Callable

import pytest
import torch
from pydantic import ValidationError
from torch.testing import assert_close
from torchvision.transforms.v2 import functional as oracle

from understudy.data.augment.gaussian_blur import (
    GaussianBlur,
    GaussianBlurSettings,
    gaussian_blurred,
)
from understudy.data.augment.transform import Dice, Frame, Size

COUNT = 10_000
FRAME = Frame(source=Size(8, 8), target=Size(8, 8))


@pytest.mark.parametrize("channels", [1, 3, 12])
@pytest.mark.parametrize("kernel_size", [1, 3, 9, 15])
def test_values_are_torchvisions(kernel_size: int, channels: int) -> None:
    images, sigmas = torch.rand(20, channels, 16, 11), torch.linspace(0.1, 3, 20)

    blurred = gaussian_blurred(images, sigmas, kernel_size)

    expected = [
        oracle.gaussian_blur(image, [kernel_size, kernel_size], [float(sigma)])
        for image, sigma in zip(images, sigmas, strict=True)
    ]
    assert_close(blurred, torch.stack(expected), atol=1e-5, rtol=0)


@pytest.mark.parametrize("size", [1, 2, 5])
def test_a_kernel_larger_than_the_image_keeps_a_flat_image_flat(size: int) -> None:
    images = torch.full((2, 1, size, size), 0.3)

    assert_close(gaussian_blurred(images, torch.tensor([1.0, 9.0]), 23), images)


def test_other_images_keep_every_bit() -> None:
    images, applied = torch.rand(10, 3, 8, 8), torch.arange(10) % 2 == 0

    views = GaussianBlur(applied, sigma=torch.ones(10), kernel_size=3).apply(images.clone())

    assert torch.equal(views[~applied], images[~applied])
    assert_close(views[applied], gaussian_blurred(images[applied], torch.ones(5), 3))


def test_width_is_uniform_and_the_wanted_share_is_chosen(dice: Callable[[int], Dice]) -> None:
    drawn = GaussianBlurSettings(probability=0.3, sigma=(0.5, 1.5)).draw(dice(COUNT), FRAME)

    steps = 0.5 + torch.arange(1, COUNT + 1) / COUNT
    assert (drawn.sigma.sort().values - steps).abs().max() < 1.95 / COUNT**0.5
    assert abs(drawn.applied.double().mean() - 0.3) < 4 * (0.3 * 0.7 / COUNT) ** 0.5


def test_a_kernel_without_a_centre_is_refused() -> None:
    with pytest.raises(ValidationError, match="must be odd, such as 5"):
        GaussianBlurSettings(kernel_size=4)
