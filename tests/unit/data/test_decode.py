import io
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from tests.pngs import png_claiming

from understudy.data.decode import MOST_PIXELS, Channels, Decoding, UnreadableImageError, decode

SATELLITE = Path(__file__).parents[4] / "shared" / "data" / "s2_l2a_12band" / "layout_variants"


def encoded(image: Image.Image, format: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, format, **options)
    return stream.getvalue()


def photo(width: int, height: int) -> Image.Image:
    """A smooth picture, which lossy formats keep."""
    y, x = np.mgrid[0:height, 0:width]
    waves = [128 + 100 * np.sin(x / 23 + shift) * np.cos(y / 17) for shift in (0, 1, 2)]
    return Image.fromarray(np.stack(waves, axis=-1).astype(np.uint8))


def pixels_of(
    content: bytes, channels: Channels = "rgb", size: int | None = None
) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return decode(content, name="a.png", decoding=Decoding(channels, size))


@pytest.mark.parametrize("format", ["PNG", "BMP", "TIFF", "PPM"])
def test_lossless_formats_keep_every_pixel(format: str) -> None:
    image = photo(12, 9)

    pixels = pixels_of(encoded(image, format))

    assert pixels.dtype == np.uint8
    np.testing.assert_array_equal(pixels, np.asarray(image).transpose(2, 0, 1))


@pytest.mark.parametrize("format", ["JPEG", "WEBP", "JPEG2000"])
def test_lossy_formats_come_close(format: str) -> None:
    image = photo(48, 32)

    pixels = pixels_of(encoded(image, format))

    expected = np.asarray(image).transpose(2, 0, 1).astype(float)
    assert pixels.shape == (3, 32, 48)
    assert np.abs(pixels - expected).mean() < 6


def test_grey_is_the_luma_of_the_colours() -> None:
    image = photo(10, 6)

    pixels = pixels_of(encoded(image, "PNG"), "grey")

    luma = np.asarray(image) @ np.array([0.299, 0.587, 0.114])
    assert pixels.shape == (1, 6, 10)
    np.testing.assert_allclose(pixels[0], luma, atol=1)


def test_grey_files_become_three_equal_channels() -> None:
    levels = np.arange(12, dtype=np.uint8).reshape(3, 4) * 20

    pixels = pixels_of(encoded(Image.fromarray(levels), "PNG"))

    np.testing.assert_array_equal(pixels, np.stack([levels] * 3))


def test_one_bit_files_become_black_and_white() -> None:
    image = Image.new("1", (2, 1))
    image.putpixel((1, 0), 1)

    np.testing.assert_array_equal(pixels_of(encoded(image, "PNG"), "grey"), [[[0, 255]]])


@pytest.mark.parametrize("format", ["PNG", "TIFF"])
def test_sixteen_bits_are_scaled_so_that_white_stays_white(format: str) -> None:
    deep = np.array([[0, 257, 10_000, 65_535]], dtype=np.uint16)

    pixels = pixels_of(encoded(Image.fromarray(deep), format), "grey")

    np.testing.assert_array_equal(pixels, [[[0, 1, round(10_000 / 257), 255]]])


def test_alpha_is_composited_on_white() -> None:
    image = Image.new("RGBA", (3, 1))
    for x, alpha in enumerate((0, 128, 255)):
        image.putpixel((x, 0), (200, 0, 0, alpha))

    pixels = pixels_of(encoded(image, "PNG"))

    np.testing.assert_allclose(pixels[:, 0].T, [[255] * 3, [227, 127, 127], [200, 0, 0]], atol=1)


def test_a_transparent_palette_colour_becomes_white() -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([10, 20, 30, 40, 50, 60])
    image.putpixel((1, 0), 1)

    pixels = pixels_of(encoded(image, "PNG", transparency=1))

    np.testing.assert_array_equal(pixels[:, 0].T, [[10, 20, 30], [255, 255, 255]])


def test_grey_with_alpha_is_composited_on_white() -> None:
    image = Image.new("LA", (2, 1), (0, 0))
    image.putpixel((1, 0), (90, 255))

    np.testing.assert_array_equal(pixels_of(encoded(image, "PNG"), "grey"), [[[255, 90]]])


def test_cmyk_becomes_rgb() -> None:
    cyan = Image.new("CMYK", (16, 16), (255, 0, 0, 0))

    pixels = pixels_of(encoded(cyan, "JPEG", quality=95))

    np.testing.assert_allclose(pixels.mean(axis=(1, 2)), [0, 255, 255], atol=3)


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_orientation_tag_is_applied(format: str, orientation: int) -> None:
    upright = np.zeros((16, 32), dtype=np.uint8)
    upright[:8, :8] = 255
    stored: dict[int, Callable[[np.ndarray], np.ndarray]] = {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.T,
        6: lambda a: np.rot90(a, 1),
        7: lambda a: a[::-1, ::-1].T,
        8: lambda a: np.rot90(a, -1),
    }
    image = Image.fromarray(np.ascontiguousarray(stored[orientation](upright))).convert("RGB")
    exif = Image.Exif()
    exif[0x0112] = orientation

    pixels = pixels_of(encoded(image, format, exif=exif), "grey")

    np.testing.assert_allclose(pixels[0], upright, atol=12)


def test_unreadable_exif_counts_as_absent() -> None:
    image = photo(8, 8)
    broken = b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + b"\xff" * 40

    with warnings.catch_warnings(action="ignore"):
        pixels = pixels_of(encoded(image, "PNG", exif=broken))

    np.testing.assert_array_equal(pixels, np.asarray(image).transpose(2, 0, 1))


def test_an_animation_gives_its_first_frame() -> None:
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue")]
    content = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])

    np.testing.assert_array_equal(pixels_of(content)[:, 0, 0], [255, 0, 0])


@pytest.mark.parametrize(("width", "height"), [(60, 40), (40, 60), (50, 50), (20, 33)])
def test_the_shorter_side_is_resized_and_the_centre_cropped(width: int, height: int) -> None:
    image, size = photo(width, height), 24
    scale = size / min(width, height)
    whole = (round(width * scale), round(height * scale))
    resized = image.resize(whole, Image.Resampling.BICUBIC)
    left, top = ((side - size) // 2 for side in whole)

    pixels = pixels_of(encoded(image, "PNG"), size=size)

    oracle = np.asarray(resized.crop((left, top, left + size, top + size))).transpose(2, 0, 1)
    assert pixels.shape == (3, size, size)
    # Rounding the longer side and the crop to whole pixels shifts the oracle by up to one.
    assert np.abs(pixels.astype(int) - oracle).mean() < 4


def test_an_image_of_the_right_size_is_not_touched() -> None:
    image = photo(24, 24)

    pixels = pixels_of(encoded(image, "PNG"), size=24)

    np.testing.assert_array_equal(pixels, np.asarray(image).transpose(2, 0, 1))


def test_a_crop_without_resizing_keeps_every_pixel() -> None:
    image = photo(31, 24)

    pixels = pixels_of(encoded(image, "PNG"), size=24)

    np.testing.assert_array_equal(pixels, np.asarray(image)[:, 3:27].transpose(2, 0, 1))


def test_large_photographs_look_the_same_from_jpeg_and_png() -> None:
    image = photo(800, 600)

    from_jpeg = pixels_of(encoded(image, "JPEG", quality=95), size=64)

    assert np.abs(from_jpeg.astype(int) - pixels_of(encoded(image, "PNG"), size=64)).mean() < 2


@pytest.mark.parametrize(("width", "height"), [(1, 1), (1, 100_000), (100_000, 1)])
def test_extreme_shapes_are_fitted_without_a_giant_in_between(width: int, height: int) -> None:
    content = encoded(Image.new("L", (width, height), 77), "PNG")

    np.testing.assert_array_equal(pixels_of(content, "grey", size=64), np.full((1, 64, 64), 77))


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"])
def test_a_truncated_file_is_refused_by_name(format: str) -> None:
    content = encoded(photo(64, 64), format)

    with pytest.raises(UnreadableImageError, match=r"^a\.png: ") as caught:
        pixels_of(content[: len(content) // 2])

    assert caught.value.exit_code == 3
    assert caught.value.reason in {"damaged", "unsupported"}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"<html><body>Not found</body></html>", "not an image"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n", "not an image"),
        (png_claiming(50_000, 50_000), "too large"),
        (png_claiming(12_000, 9_000), "too large"),
        (png_claiming(8, 8), "damaged"),
    ],
)
def test_what_is_no_good_image_is_refused_with_its_reason(content: bytes, reason: str) -> None:
    with pytest.raises(UnreadableImageError, match=r"^a\.png: ") as caught:
        pixels_of(content)

    assert caught.value.reason == reason


def test_the_limit_of_pixels_holds_where_nobody_turned_warnings_into_errors() -> None:
    assert MOST_PIXELS < 12_000 * 9_000

    with warnings.catch_warnings(action="ignore"), pytest.raises(UnreadableImageError) as caught:
        pixels_of(png_claiming(12_000, 9_000))

    assert "12,000 x 9,000" in str(caught.value)


def test_a_sound_image_of_more_pixels_than_the_limit_is_refused_by_us(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Pillow opens it without a word: its own limit lies far above."""
    monkeypatch.setattr("understudy.data.decode.MOST_PIXELS", 40 * 30)

    assert pixels_of(encoded(photo(40, 30), "PNG")).size == 3 * 40 * 30
    with pytest.raises(UnreadableImageError, match="41 x 30 pixels; at most 1,200") as caught:
        pixels_of(encoded(photo(41, 30), "PNG"))
    assert caught.value.reason == "too large"


def test_a_tiff_of_several_pages_is_refused_instead_of_losing_all_but_one() -> None:
    pages = [Image.new("L", (4, 4), level) for level in (0, 100, 200)]
    content = encoded(pages[0], "TIFF", save_all=True, append_images=pages[1:])

    with pytest.raises(UnreadableImageError, match="3 pages with 1 bands"):
        pixels_of(content)


@pytest.mark.parametrize(
    "image",
    [
        Image.fromarray(np.full((2, 2), 0.5, dtype=np.float32)),
        Image.fromarray(np.full((2, 2), 70_000, dtype=np.int32)),
        Image.fromarray(np.full((2, 2), -1, dtype=np.int32)),
    ],
    ids=["float", "large", "negative"],
)
def test_numbers_without_an_agreed_white_are_refused(image: Image.Image) -> None:
    with pytest.raises(UnreadableImageError, match="unsupported"):
        pixels_of(encoded(image, "TIFF"), "grey")


@pytest.mark.skipif(not SATELLITE.exists(), reason="no ../shared/data/s2_l2a_12band")
@pytest.mark.parametrize("path", sorted(SATELLITE.glob("*.tif")), ids=lambda path: path.stem)
def test_twelve_bands_are_refused_in_every_layout(path: Path) -> None:
    with pytest.raises(UnreadableImageError, match="unsupported"):
        pixels_of(path.read_bytes())


@given(st.data())
def test_no_damage_leads_to_any_other_error(data: st.DataObject) -> None:
    format = data.draw(st.sampled_from(["PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF", "PPM"]))
    content = bytearray(encoded(photo(9, 7), format))
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))

    with warnings.catch_warnings(action="ignore"):
        try:
            pixels = pixels_of(bytes(content), size=8)
        except UnreadableImageError:
            return

    assert pixels.shape == (3, 8, 8)
