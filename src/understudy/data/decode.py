"""One conversion for every image file, the same in training, evaluation and deployment.

- The orientation of the EXIF tag is applied; unreadable EXIF counts as absent.
- Palette and alpha are composited on white.
- 16-bit grey is divided by 257, so that 65,535 becomes 255; other depths become 8 bits in Pillow.
- CMYK, YCbCr and the like become RGB without colour management; ICC profiles are not applied.
- `grey` is the luma of ITU-R 601 (0.299 R + 0.587 G + 0.114 B).
- Of an animation the first frame counts. A TIFF of several pages or more bands than Pillow opens
  is refused, where Pillow alone would return its first page or band without a word.
- With a size, the shorter side is resized to it (bicubic, antialiased), then the centre is cropped.
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, TiffImagePlugin, UnidentifiedImageError

from understudy.core.depth import Pixels
from understudy.core.errors import DataError, UnderstudyError
from understudy.data.check.look import Look

Channels = Literal["rgb", "grey"]
Content = bytes | tuple[tuple[str, bytes], ...]
"""A whole file; or the files of one image's bands, each with its band's name."""

VERSION = 1  # of the conversion: packs are keyed by it, so a change here makes new ones
MOST_PIXELS = 89_478_485  # Pillow's threshold for a decompression bomb: 256 MiB at 3 bytes a pixel
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "AVIF", "JPEG2000")
"""What may be opened. The list is closed: Pillow also hands EPS files to an interpreter."""

_ORIENTATION = 274  # the tag's number in the TIFF 6.0 specification, which EXIF took over
_SAMPLES_PER_PIXEL = 277  # same specification
_BITS_PER_SAMPLE = 258  # same specification
_READ_OF_TIFF = "only one page of 1-4 bands is read; `data.bands=all` reads more"
_TIFF_BEGINNINGS = (b"II*\0", b"MM\0*")  # little and big endian, same specification


class Decoded(NamedTuple):
    """One image file, read."""

    pixels: Pixels
    """[C, H, W]."""
    look: Look


class Decoding(NamedTuple):
    """What the pixels shall be."""

    channels: Channels
    size: int | None
    """Height and width, or None: as the file has it."""

    def decoded(self, content: Content, *, name: str) -> Decoded:
        """As the function `decoded`, of one file.

        Raises:
            UnreadableImageError: It is none that can be read.
        """
        if isinstance(content, tuple):
            found = f"{len(content)} files of one image, which `data.bands` reads"
            raise UnreadableImageError(name, "unsupported", found)
        return decoded(content, name=name, decoding=self)


class UnreadableImageError(DataError):
    """One image that cannot become pixels.

    Args:
        name: The image, as messages name it.
        reason: A word to count by: empty, not an image, damaged, too large, unsupported.
        detail: What was found.
        look: What is known of it all the same.
    """

    def __init__(self, name: str, reason: str, detail: str, look: Look | None = None) -> None:
        super().__init__(f"{name}: {reason} ({detail})")
        self.name, self.reason, self.detail = name, reason, detail
        self.look = (look or Look())._replace(reason=reason, detail=detail)


def decode(content: bytes, *, name: str, decoding: Decoding) -> Pixels:
    """The pixels of one image file, [C, H, W], as `decoded` gives them."""
    return decoded(content, name=name, decoding=decoding).pixels


def decoded(content: bytes, *, name: str, decoding: Decoding) -> Decoded:
    """The pixels of one image file, and what the file says of itself.

    Args:
        content: The whole file.
        name: How to name it in an error.
        decoding: Channels and size.

    Raises:
        UnreadableImageError: The file is empty, damaged, too large, or of no kind listed above.
    """
    with in_words(name):
        image = _opened(content, name)
        look = _look(image)
        if decoding.size is not None:
            # JPEG alone: reads at 1/2, 1/4 or 1/8, still at least twice as large as wanted.
            image.draft(None, (2 * decoding.size, 2 * decoding.size))
        image.load()
        look = look._replace(orientation=_orientation(image), peak=_peak(image))
        flat = _flattened(_upright(image), decoding.channels, name)
        pixels = np.asarray(flat if decoding.size is None else fitted(flat, decoding.size))
    channels_first = pixels.transpose(2, 0, 1) if pixels.ndim == 3 else pixels[None]
    return Decoded(np.ascontiguousarray(channels_first), look)


def header(content: bytes, *, name: str) -> Look:
    """What an image file says of itself, its pixels not decoded.

    Raises:
        UnreadableImageError: As `decoded` does, but for damaged pixels.
    """
    with in_words(name):
        return _look(_opened(content, name))


@contextmanager
def in_words(name: str) -> Iterator[None]:
    """Turns whatever a reader raises at one image into an error that names it.

    Raises:
        UnreadableImageError: Instead of what was raised.
    """
    try:
        yield
    except (UnderstudyError, MemoryError):
        raise
    except Exception as error:  # readers raise nearly anything on damaged bytes
        raise UnreadableImageError(name, "damaged", str(error) or type(error).__name__) from error


def _look(image: Image.Image) -> Look:
    """What the header says."""
    return Look(
        format=image.format or "",
        mode=image.mode,
        width=image.width,
        height=image.height,
        frames=int(getattr(image, "n_frames", 1)),
    )


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # unreadable EXIF says nothing about the orientation
        return 1


def _peak(image: Image.Image) -> int:
    return int(np.asarray(image).max()) if _is_deep(image) else 0


def _is_deep(image: Image.Image) -> bool:
    """Whether it is grey of more than 8 bits."""
    return image.mode == "I" or image.mode.startswith("I;16")


def _opened(content: bytes, name: str) -> Image.Image:
    """The image with its header read and found acceptable, its pixels not yet decoded."""
    if not content:
        raise UnreadableImageError(name, "empty", "0 bytes")
    try:
        image = Image.open(io.BytesIO(content), formats=_available_formats())
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise UnreadableImageError(name, "too large", f"over {MOST_PIXELS:,} pixels") from error
    except UnidentifiedImageError as error:
        if content[:4] in _TIFF_BEGINNINGS:
            raise UnreadableImageError(name, "unsupported", _bands_told(content)) from error
        begins = f"begins with {content[:12]!r}; known are {', '.join(FORMATS)}"
        raise UnreadableImageError(name, "not an image", begins) from error

    width, height = image.size
    if width * height > MOST_PIXELS:
        found = f"{width:,} x {height:,} pixels; at most {MOST_PIXELS:,} are decoded"
        raise UnreadableImageError(name, "too large", found)
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        bands, pages = image.tag_v2.get(_SAMPLES_PER_PIXEL, 1), image.n_frames
        if bands != len(image.getbands()) or pages != 1:
            found = f"a TIFF of {pages} pages with {bands} bands; {_READ_OF_TIFF}"
            raise UnreadableImageError(name, "unsupported", found)
    return image


def _bands_told(content: bytes) -> str:
    """What the first page of a TIFF says of itself, where Pillow would not open it."""
    stream = io.BytesIO(content)
    try:
        tags = TiffImagePlugin.ImageFileDirectory_v2(content[:8])
        stream.seek(tags.next)
        tags.load(stream)
        bands, bits = tags.get(_SAMPLES_PER_PIXEL, 1), tags.get(_BITS_PER_SAMPLE, (1,))
        depth = "/".join(str(number) for number in sorted(set(bits)))
        return f"a TIFF of {int(bands)} bands of {depth} bits; {_READ_OF_TIFF}"
    except Exception:  # damaged bytes
        return f"a TIFF of a kind that Pillow does not read; {_READ_OF_TIFF}"


def _available_formats() -> tuple[str, ...]:
    """The listed formats that this build of Pillow can read."""
    if "JPEG2000" not in Image.OPEN:
        Image.init()
    return tuple(kind for kind in FORMATS if kind in Image.OPEN)


def _upright(image: Image.Image) -> Image.Image:
    try:
        ImageOps.exif_transpose(image, in_place=True)
    except Exception:  # unreadable EXIF says nothing about the orientation
        return image
    return image


def _flattened(image: Image.Image, channels: Channels, name: str) -> Image.Image:
    """The image in 8 bits without palette or alpha."""
    if _is_deep(image):
        image = Image.fromarray(_eight_bits(np.asarray(image), name))
    if image.mode == "F":
        raise UnreadableImageError(name, "unsupported", "float pixels have no agreed white")
    if image.has_transparency_data:
        white = Image.new("RGBA", image.size, "white")
        white.alpha_composite(image.convert("RGBA"))
        image = white
    return image.convert("RGB" if channels == "rgb" else "L")


def _eight_bits(values: NDArray[np.generic], name: str) -> NDArray[np.uint8]:
    deep = values.astype(np.int64)
    if deep.min() < 0 or deep.max() > 65_535:
        found = f"integer pixels from {deep.min()} to {deep.max()}; 0 to 65,535 are read"
        raise UnreadableImageError(name, "unsupported", found)
    return ((deep + 128) // 257).astype(np.uint8)


def fitted(image: Image.Image, size: int) -> Image.Image:
    """The centre square, resized; only that square is computed, however long the other side."""
    width, height = image.size
    if width == height == size:
        return image
    side = min(width, height)
    left, top = (width - side) // 2, (height - side) // 2
    box = (left, top, left + side, top + side)
    return image.resize((size, size), Image.Resampling.BICUBIC, box=box)
