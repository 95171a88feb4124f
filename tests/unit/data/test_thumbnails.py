import io

import numpy as np
import pytest
from PIL import Image

from understudy.data.thumbnails import EXACT, LONGEST, thumbnail


def opened(content: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(content))
    assert image.format == "WEBP"
    return image


@pytest.mark.parametrize("channels", [1, 3])
def test_a_small_image_keeps_every_pixel(channels: int) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (channels, 8, EXACT), dtype=np.uint8)

    shown = np.asarray(opened(thumbnail(pixels)).convert("RGB")).transpose(2, 0, 1)

    assert np.array_equal(shown, np.broadcast_to(pixels, shown.shape))


def test_a_large_image_becomes_small_and_keeps_its_shape_and_look() -> None:
    ramp = np.linspace(0, 255, 400).astype(np.uint8)
    pixels = np.broadcast_to(ramp, (3, 200, 400))

    content = thumbnail(pixels)

    assert opened(content).size == (LONGEST, LONGEST // 2)
    assert len(content) < 2500
    grey = np.asarray(opened(content).convert("L")).mean(axis=0)
    assert np.abs(grey - np.linspace(0, 255, LONGEST)).max() < 12


def test_of_other_bands_the_first_is_shown() -> None:
    pixels = np.zeros((12, 4, 4), dtype=np.uint8)
    pixels[0] = 200

    assert set(np.asarray(opened(thumbnail(pixels)).convert("L")).flat) == {200}
