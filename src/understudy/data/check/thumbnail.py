"""An image as a small picture inside a page."""

import io
from base64 import b64encode

import numpy as np
from PIL import Image

from understudy.data.decode import Decoding, UnreadableImageError, decode
from understudy.data.sources.listing import Listing

SIDE = 64  # pixels; enough to tell whether two pictures are the same, about 2 kB each
QUALITY = 80  # of JPEG


def thumbnail(listing: Listing, index: int) -> str:
    """A `data:` address of one listed image, upright, its central square; "" if it is gone."""
    try:
        content = listing.read(index)
        if isinstance(content, bytes):
            name = listing.entries[index].name
            content = decode(content, name=name, decoding=Decoding(channels="rgb", size=SIDE))
    except (OSError, UnreadableImageError):
        return ""
    pixels = content[:3] if len(content) >= 3 else content[:1].repeat(3, axis=0)
    picture = Image.fromarray(np.ascontiguousarray(pixels.transpose(1, 2, 0)))
    picture = picture.resize((SIDE, SIDE), Image.Resampling.NEAREST)
    written = io.BytesIO()
    picture.save(written, "JPEG", quality=QUALITY)
    return f"data:image/jpeg;base64,{b64encode(written.getvalue()).decode()}"
