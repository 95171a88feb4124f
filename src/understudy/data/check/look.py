"""What one look at an image file tells beside its pixels."""

from typing import NamedTuple


class Look(NamedTuple):
    """One listed image, readable or not."""

    reason: str = ""
    """Why it cannot be read, in a word to count by; "" where it can."""
    detail: str = ""
    """What was found instead."""
    format: str = ""
    """JPEG, PNG, ...; "" for an image that is no file."""
    mode: str = ""
    """Pillow's: RGB, L, P, CMYK, I;16, ...; it tells channels and bits."""
    width: int = 0
    height: int = 0
    """Pixels in the file, before any turning, resizing or cropping."""
    orientation: int = 1
    """Of the EXIF tag; 1: upright."""
    frames: int = 1
    """More than one: an animation, of which the first counts."""
    peak: int = 0
    """The largest value of a grey image of 16 bits, of 65,535; 0 for all others."""
    constant: bool = False
    """All its pixels are equal, as they reach a network."""
    flat: bool = False
    """Hardly anything to see, as open water: too little to tell it from others like it."""
