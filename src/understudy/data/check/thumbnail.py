"""An image as a small picture inside a page."""

import io
from base64 import b64encode

import numpy as np
from PIL import Image

from understudy.data.bands.decoding import BandDecoding
from understudy.data.decode import Decoding, UnreadableImageError
from understudy.data.sources.listing import Listing
from understudy.data.thumbnails import shown

SIDE = 64  # pixels; enough to tell whether two pictures are the same, about 2 kB each
QUALITY = 80  # of JPEG


def thumbnail(listing: Listing, index: int) -> str:
    """A `data:` address of one listed image, upright, its central square; "" if it is gone."""
    try:
        content = listing.read(index)
        if not isinstance(content, np.ndarray):
            name, decoding = listing.entries[index].name, Decoding(channels="rgb", size=SIDE)
            of_bands = listing.decoding if isinstance(listing.decoding, BandDecoding) else None
            content = (of_bands or decoding).decoded(content, name=name).pixels
    except (OSError, UnreadableImageError):
        return ""
    picture = shown(content, bands=listing.bands).convert("RGB")
    picture = picture.resize((SIDE, SIDE), Image.Resampling.NEAREST)
    written = io.BytesIO()
    picture.save(written, "JPEG", quality=QUALITY)
    return f"data:image/jpeg;base64,{b64encode(written.getvalue()).decode()}"
