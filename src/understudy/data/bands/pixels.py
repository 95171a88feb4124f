"""What the numbers of bands mean, and which of them are no pixels; all onto one grid."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from understudy.core.depth import Pixels, white
from understudy.data.decode import UnreadableImageError, fitted

Nodata = float | Literal["ignore"] | None
MOST_COUNTED = 4  # bands named in a sentence


class Band(NamedTuple):
    """One band, and the file's word on what marks no data."""

    name: str
    values: NDArray[Any]
    """[H, W], of the file's own type."""
    nodata: float | None


def one_type(bands: Sequence[Band], *, name: str) -> np.dtype[Any]:
    """The type of all bands, once they are found to fit together.

    Raises:
        UnreadableImageError: They are of several types, of one that is not read, or show areas of
            other shapes.
    """
    types = {band.values.dtype for band in bands}
    kind = next(iter(types))
    if len(types) != 1 or kind.kind not in "iuf":
        found = ", ".join(sorted(one.name for one in types))
        raise UnreadableImageError(name, "unsupported", f"bands of type {found}")
    height, width = grid_of(bands)
    crooked = [
        f"{band.name} {band.values.shape[1]} x {band.values.shape[0]}"
        for band in bands
        if band.values.shape[0] * width != band.values.shape[1] * height
    ]
    if crooked:
        found = f"{', '.join(crooked[:MOST_COUNTED])}; the largest is {width} x {height}"
        raise UnreadableImageError(name, "unsupported", f"bands of other shapes: {found}")
    return kind


def grid_of(bands: Sequence[Band]) -> tuple[int, int]:
    """Height and width of the largest band, on whose grid the others are laid."""
    heights, widths = zip(*(band.values.shape for band in bands), strict=True)
    return max(heights), max(widths)


def must_be_pixels(
    bands: Sequence[Band], *, brightest: float | None, nodata: Nodata, name: str
) -> None:
    """Refuses pixels that are no numbers, are without data, or lie outside the range.

    Args:
        bands: Those that are wanted.
        brightest: The value that counts as 1; None: whole numbers, which are kept.
        nodata: What marks a pixel without data; None: what each file says.
        name: The image, as messages name it.

    Raises:
        UnreadableImageError: With the number of such pixels in each band.
    """
    strange = {band.name: _count(~np.isfinite(band.values)) for band in bands}
    if any(strange.values()):
        raise UnreadableImageError(name, "not a number", _counted(strange, bands))

    marks = {band.name: band.nodata if nodata is None else nodata for band in bands}
    known = {band: float(m) for band, m in marks.items() if m is not None and m != "ignore"}
    empty = {
        band.name: _count(band.values == known[band.name]) for band in bands if band.name in known
    }
    if any(empty.values()):
        told = " or ".join(f"{mark:g}" for mark in sorted(set(known.values())))
        raise UnreadableImageError(name, "nodata", f"value {told}: {_counted(empty, bands)}")

    low = min(float(band.values.min()) for band in bands)
    high = max(float(band.values.max()) for band in bands)
    top = white(np.uint16) if brightest is None else brightest
    if low < 0 or high > top:
        advice = "; `data.white` says which value is 1" if brightest is not None else ""
        found = f"values from {low:,.4g} to {high:,.4g}; 0 to {top:,g} are read{advice}"
        raise UnreadableImageError(name, "out of range", found)


def as_pixels(bands: Sequence[Band], *, size: int | None, brightest: float | None) -> Pixels:
    """Bands that were found good, as [C, H, W] on one grid.

    Args:
        bands: In the order of the channels.
        size: Height and width; None: those of the largest band.
        brightest: The value that counts as 1; None: whole numbers, which are kept.
    """
    kind, grid = bands[0].values.dtype, grid_of(bands)
    stack = np.stack([_sized(band.values, size, grid) for band in bands])
    if kind == np.uint8 and brightest is None:
        return _rounded(stack, white(np.uint8)).astype(np.uint8)
    deep = white(np.uint16)
    if brightest is not None:
        stack = stack.astype(np.float64) * (deep / brightest)
    return _rounded(stack, deep).astype(np.uint16)


def _rounded(values: NDArray[Any], most: int) -> NDArray[Any]:
    """Whole numbers; a resizing may have left the range by a little."""
    return values if values.dtype.kind in "iu" else values.round().clip(0, most)


def _sized(values: NDArray[Any], size: int | None, grid: tuple[int, int]) -> NDArray[Any]:
    if values.shape == (grid if size is None else (size, size)):
        return values
    # 32-bit floats hold every value of 16 bits, and Pillow resizes them without a rounding.
    image = Image.fromarray(values.astype(np.float32))
    if size is None:
        return np.asarray(image.resize((grid[1], grid[0]), Image.Resampling.BICUBIC))
    return np.asarray(fitted(image, size))


def _count(chosen: NDArray[np.bool_]) -> int:
    return int(np.count_nonzero(chosen))


def _counted(pixels: Mapping[str, int], bands: Sequence[Band]) -> str:
    told = [f"{count:,} of {name}" for name, count in pixels.items() if count]
    further = len(told) - MOST_COUNTED
    more = f" and {further} more band{'' if further == 1 else 's'}" if further > 0 else ""
    largest = max(band.values.size for band in bands)
    return f"{', '.join(told[:MOST_COUNTED])}{more}, {largest:,} pixels each"
