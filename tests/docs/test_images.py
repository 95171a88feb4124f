"""Every row of docs/images.md is run: the table tells what `decode` does, no more and no less."""

import io
import re
import struct
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms
from tests.packs import open_pack
from tests.pngs import png

from understudy.core.errors import DataError
from understudy.data.decode import MOST_PIXELS, Channels, Decoding, UnreadableImageError, decode
from understudy.data.sources.folder import FolderSettings

PAGE = (Path(__file__).parents[2] / "docs" / "images.md").read_text()
CONVERTED, REFUSED = (
    [line.split(" | ")[0].removeprefix("| ") for line in table.splitlines()[2:]]
    for table in re.findall(r"(?:^\|.*\n)+", PAGE, re.MULTILINE)
)

Pixels = NDArray[np.uint8]
COLOURS = np.random.default_rng(0).integers(0, 256, (6, 4, 3), dtype=np.uint8)
PICTURE = Image.fromarray(COLOURS)


def encoded(image: Image.Image, format: str = "PNG", **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, format, **options)
    return stream.getvalue()


def decoded(content: bytes, channels: Channels = "rgb", size: int | None = None) -> Pixels:
    """[H, W, C], as people count pixels."""
    with warnings.catch_warnings(action="ignore"):
        pixels = decode(content, name="a", decoding=Decoding(channels, size))
    return pixels.transpose(1, 2, 0)


def equal(found: Pixels, wanted: object) -> None:
    np.testing.assert_array_equal(found, np.asarray(wanted))


def eight_bit_colours() -> None:
    equal(decoded(encoded(PICTURE)), COLOURS)


def eight_bit_grey() -> None:
    grey = encoded(Image.fromarray(COLOURS[..., 0]))
    equal(decoded(grey), np.repeat(COLOURS[..., :1], 3, axis=2))
    equal(decoded(grey, "grey"), COLOURS[..., :1])


def luma() -> None:
    wanted = COLOURS @ np.array([0.299, 0.587, 0.114])
    found = decoded(encoded(PICTURE), "grey")[..., 0]
    np.testing.assert_allclose(found, wanted, atol=0.51)  # rounded, with weights of 16 bits


def one_bit() -> None:
    image = Image.fromarray(np.array([[False, True]]))
    assert image.mode == "1"
    equal(decoded(encoded(image), "grey"), [[[0], [255]]])


def of_palette(**options: object) -> Pixels:
    image = Image.new("P", (2, 1))
    image.putpalette([10, 20, 30, 40, 50, 60])
    image.putpixel((1, 0), 1)
    return decoded(encoded(image, "PNG", **options))


def palette() -> None:
    equal(of_palette(), [[[10, 20, 30], [40, 50, 60]]])


def transparent_palette() -> None:
    equal(of_palette(transparency=1), [[[10, 20, 30], [255, 255, 255]]])


def alpha() -> None:
    image = Image.new("RGBA", (1, 1), (0, 0, 0, 128))
    equal(decoded(encoded(image)), [[[127, 127, 127]]])


def grey_with_alpha() -> None:
    image = Image.new("LA", (2, 1), (0, 0))
    image.putpixel((1, 0), (90, 255))
    equal(decoded(encoded(image), "grey"), [[[255], [90]]])


def sixteen_bit_grey() -> None:
    deep = Image.fromarray(np.array([[0, 257, 385, 386, 65_535]], dtype=np.uint16))
    for format in ("PNG", "TIFF"):
        equal(decoded(encoded(deep, format), "grey"), [[[0], [1], [1], [2], [255]]])


def sixteen_bit_colours() -> None:
    values = (0x0000, 0x80FF, 0xFFFF)
    row = b"\0" + struct.pack(">3H", *values)  # no filter, one pixel
    header = struct.pack(">IIBBBBB", 1, 1, 16, 2, 0, 0, 0)
    content = png(header, row)
    equal(decoded(content), [[[0x00, 0x80, 0xFF]]])


def cmyk() -> None:
    inks = [(255, 0, 0, 0), (0, 200, 0, 0), (0, 0, 0, 255), (60, 0, 0, 100)]
    for ink in inks:
        image = Image.new("CMYK", (8, 8), ink)
        light = [(255 - c) * (255 - ink[3]) / 255 for c in ink[:3]]
        wanted = np.broadcast_to(light, (8, 8, 3))
        np.testing.assert_allclose(decoded(encoded(image, "TIFF")), wanted, atol=1)
        np.testing.assert_allclose(decoded(encoded(image, "JPEG", quality=100)), wanted, atol=3)


def orientation() -> None:
    turned: dict[int, Callable[[Pixels], Pixels]] = {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.transpose(1, 0, 2),
        6: lambda a: np.rot90(a, 1),
        7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
        8: lambda a: np.rot90(a, -1),
    }
    for tag, turn in turned.items():
        exif = Image.Exif()
        exif[0x0112] = tag
        stored = Image.fromarray(np.ascontiguousarray(turn(COLOURS)))
        equal(decoded(encoded(stored, exif=exif)), COLOURS)


def unreadable_exif() -> None:
    broken = b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + b"\xff" * 40
    with warnings.catch_warnings(action="ignore"):
        content = encoded(PICTURE, exif=broken)
    equal(decoded(content), COLOURS)


def colour_profile() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    content = encoded(PICTURE, icc_profile=profile)
    assert b"iCCP" in content
    equal(decoded(content), COLOURS)


def animation() -> None:
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue")]
    for format in ("GIF", "WEBP", "PNG"):
        content = encoded(
            frames[0],
            format,
            save_all=True,
            append_images=frames[1:],
            **({"lossless": True} if format == "WEBP" else {}),
        )
        assert getattr(Image.open(io.BytesIO(content)), "n_frames", 1) == 2
        equal(decoded(content), np.broadcast_to([255, 0, 0], (4, 4, 3)))


def resized() -> None:
    wide = Image.fromarray(np.kron(COLOURS, np.ones((4, 8, 1), np.uint8)))  # 32 wide, 24 high
    found = decoded(encoded(wide), size=12)
    oracle = wide.resize((16, 12), Image.Resampling.BICUBIC).crop((2, 0, 14, 12))
    equal(found, oracle)


def several_sizes(folder: Path) -> None:
    for number, name in enumerate(("a", "b")):
        (folder / name).mkdir()
        Image.new("RGB", (4 + number, 4)).save(folder / name / "0.png")
    with pytest.raises(DataError, match=r"have 2 sizes .* Set `data\.size`"):
        open_pack(FolderSettings(path=folder), shared=folder.parent / "shared")


CLAIMS: dict[str, Callable[[], None] | Callable[[Path], None]] = {
    "colours, 8 bits (RGB)": eight_bit_colours,
    "grey, 8 bits": eight_bit_grey,
    "colours, with `channels=grey`": luma,
    "black and white, 1 bit": one_bit,
    "palette": palette,
    "palette with a transparent colour": transparent_palette,
    "alpha (RGBA)": alpha,
    "grey with alpha (LA)": grey_with_alpha,
    "grey, 16 bits": sixteen_bit_grey,
    "colours, 16 bits (PNG)": sixteen_bit_colours,
    "CMYK": cmyk,
    "turned by the EXIF tag": orientation,
    "EXIF that cannot be read": unreadable_exif,
    "an embedded colour profile (ICC)": colour_profile,
    "an animation (GIF, WebP, PNG)": animation,
    "another size, with `size=N`": resized,
    "another size, without `size`": several_sizes,
}


def test_every_row_is_run_and_every_claim_is_written() -> None:
    assert list(CLAIMS) == CONVERTED


@pytest.mark.parametrize("row", CONVERTED)
def test_a_row_tells_the_truth(row: str, tmp_path: Path) -> None:
    claim = CLAIMS[row]

    claim(tmp_path) if claim is several_sizes else claim()  # type: ignore[call-arg]


def tiff(*images: Image.Image) -> bytes:
    return encoded(images[0], "TIFF", save_all=True, append_images=images[1:])


BAD: dict[str, list[bytes]] = {
    "empty, truncated, damaged, or no image at all": [
        b"",
        encoded(PICTURE)[:-40],
        b"<html>Not found</html>",
    ],
    "over 89,478,485 pixels": [png(struct.pack(">IIBBBBB", 9_460, 9_460, 8, 2, 0, 0, 0), b"\0")],
    "a TIFF of several pages, or of bands that Pillow does not open": [tiff(PICTURE, PICTURE)],
    "float pixels, or integers outside 0 to 65,535": [
        tiff(Image.fromarray(np.full((2, 2), 0.5, dtype=np.float32))),
        tiff(Image.fromarray(np.full((2, 2), 70_000, dtype=np.int32))),
    ],
}


@pytest.mark.parametrize("row", REFUSED)
def test_what_is_refused_is_refused_by_name(row: str) -> None:
    for content in BAD[row]:
        with pytest.raises(UnreadableImageError, match=r"^a: "):
            decoded(content, size=8)


def test_the_limit_of_pixels_is_the_one_on_the_page() -> None:
    assert f"over {MOST_PIXELS:,} pixels" in REFUSED
