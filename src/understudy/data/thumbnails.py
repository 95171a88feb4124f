"""Small pictures of images, for pages that show some of them."""

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image

from understudy.core.depth import Pixels, grey_levels
from understudy.data.bands.names import colours

LONGEST = 96  # pixels of the longer side: recognised on a page, about 2 kB as WebP
EXACT = 32  # up to this size every pixel is kept, for lossy coding smears what is that small
QUALITY = 80  # Pillow's default for WebP


def shown(pixels: Pixels, *, bands: Sequence[str]) -> Image.Image:
    """One image as people are shown it.

    Args:
        pixels: [C, H, W]. Of bands those called red, green and blue are shown; of other than three
            channels without these the first is, as grey.
        bands: The channels' names; empty for a photograph's.
    """
    rgb = colours(bands)
    if rgb is not None:
        pixels = pixels[[list(bands).index(name) for name in rgb]]
    elif len(pixels) != 3:
        pixels = pixels[:1]
    levels = grey_levels(pixels)
    flat = levels[0] if len(levels) == 1 else levels.transpose(1, 2, 0)
    return Image.fromarray(np.ascontiguousarray(flat))


def thumbnail(pixels: Pixels, *, bands: Sequence[str] = ()) -> bytes:
    """A WebP file of one image, at most `LONGEST` pixels wide and high, as `shown` shows it."""
    image = shown(pixels, bands=bands)
    small = max(image.size) <= EXACT
    image.thumbnail((LONGEST, LONGEST))
    stream = io.BytesIO()
    image.save(stream, "WEBP", lossless=small, quality=QUALITY)
    return stream.getvalue()
