import torch
from torch import Tensor
from torch.testing import assert_close
from torchvision.transforms.v2 import functional as oracle

from understudy.data.augment.tone import autocontrast, equalized, posterized, sharpened


def eight_bits(images: Tensor) -> Tensor:
    return (images * 255).round().to(torch.uint8)


def photographs() -> Tensor:
    """[30, 3, 24, 20], floats of 8 bits: dark ones, bright ones, and one with a single value."""
    generator = torch.Generator().manual_seed(0)
    powers = torch.linspace(0.3, 4, 30).view(-1, 1, 1, 1)
    images = torch.rand(30, 3, 24, 20, generator=generator) ** powers
    images[3] = 0.4
    images[4, :, 1:] = 1
    return eight_bits(images) / 255


def test_contrast_is_torchvisions(colours: Tensor) -> None:
    assert_close(autocontrast(colours), oracle.autocontrast(colours))


def test_equalized_images_are_torchvisions_on_eight_bits() -> None:
    images = photographs()

    views = equalized(images)

    assert torch.equal(eight_bits(views), oracle.equalize(eight_bits(images)))
    assert torch.equal(views[3], images[3])


def test_levels_are_told_apart_in_sixteen_bits_as_in_eight() -> None:
    images = photographs()
    deep = (images * 65535).round() / 65535

    assert torch.equal(equalized(deep), equalized(images))


def test_posterized_images_are_torchvisions_for_every_image_by_its_own_bits() -> None:
    images = photographs()
    bits = torch.arange(len(images)) % 8 + 1

    views = posterized(images, bits.view(-1, 1, 1, 1).float())

    for view, image, each in zip(views, images, bits.tolist(), strict=True):
        assert_close(view, oracle.posterize(image, each))


def test_sharpened_images_are_torchvisions_for_every_image_by_its_own_factor() -> None:
    images = photographs()
    factors = torch.linspace(0, 2, len(images))

    views = sharpened(images, factors.view(-1, 1, 1, 1))

    for view, image, factor in zip(views, images, factors.tolist(), strict=True):
        assert_close(view, oracle.adjust_sharpness(image, factor), atol=2e-6, rtol=0)


def test_images_too_small_for_neighbours_stay() -> None:
    tiny = torch.rand(2, 3, 2, 5)

    assert torch.equal(sharpened(tiny, torch.zeros(2, 1, 1, 1)), tiny)
