"""Small pictures of images, for pages that show some of them."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

LONGEST = 96  # pixels of the longer side: recognised on a page, about 2 kB as WebP
EXACT = 32  # up to this size every pixel is kept, for lossy coding smears what is that small
QUALITY = 80  # Pillow's default for WebP


def thumbnail(pixels: NDArray[np.uint8]) -> bytes:
    """A WebP file of one image, at most `LONGEST` pixels wide and high.

    Args:
        pixels: [C, H, W]; of other than three channels the first is shown, as grey.
    """
    shown = pixels.transpose(1, 2, 0) if len(pixels) == 3 else pixels[0]
    image = Image.fromarray(np.ascontiguousarray(shown))
    small = max(image.size) <= EXACT
    image.thumbnail((LONGEST, LONGEST))
    stream = io.BytesIO()
    image.save(stream, "WEBP", lossless=small, quality=QUALITY)
    return stream.getvalue()
