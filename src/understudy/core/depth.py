"""How deep pixels are: whole numbers of 8 or of 16 bits, the largest of which is 1 to a network.

This is the one place that knows it. Everything else asks for `white`: packs, views, statistics, the
exported file and its scripts. What stood in files of bands for that 1 is told by `core/numbers.py`.
"""

from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import DTypeLike, NDArray

Depth = Literal["uint8", "uint16"]
Pixels = NDArray[np.unsignedinteger[Any]]
"""[..., C, H, W], of either depth."""

SHOWN = (1, 99)  # percentiles that become black and white: one cloud or glint must not rule
DEPTHS: tuple[Depth, ...] = get_args(Depth)


def depth_of(dtype: DTypeLike) -> Depth:
    """The name of a type of pixels.

    Raises:
        ValueError: Pixels of no such type are ours.
    """
    name = np.dtype(dtype).name
    found = next((depth for depth in DEPTHS if depth == name), None)
    if found is None:
        raise ValueError(f"pixels of type {name}; there are {', '.join(DEPTHS)}")
    return found


def white(dtype: DTypeLike) -> int:
    """The value that is 1 to a network: the largest of the type, 255 or 65,535."""
    return int(np.iinfo(depth_of(dtype)).max)


def bits(depth: Depth) -> str:
    """`8 bits`, `16 bits`."""
    return f"{8 * np.dtype(depth).itemsize} bits"


def grey_levels(pixels: Pixels) -> NDArray[np.uint8]:
    """Pixels as people are shown them and as sketches compare them, in 8 bits.

    Those of 16 bits, which most sensors fill but little, are stretched over the range that the
    image uses, all channels alike: what counts here is what can be seen.
    """
    if pixels.dtype == np.uint8:
        return pixels.astype(np.uint8, copy=False)
    low, high = np.percentile(pixels, SHOWN)
    brightest = white(np.uint8)
    stretched = (pixels.astype(np.float32) - low) * (brightest / max(high - low, 1.0))
    levels: NDArray[np.uint8] = stretched.round().clip(0, brightest).astype(np.uint8)
    return levels
