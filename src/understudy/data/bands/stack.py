"""The bands of one image file as it holds them, of any type: read, and not yet judged."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from understudy.data.decode import MOST_PIXELS, UnreadableImageError

MOST_BYTES = 1 << 30  # of one image: 13 bands of Sentinel-2's whole tile at 20 m take 780 MB
NUMPY, ZIP = b"\x93NUMPY", b"PK\x03\x04"


class Stack(NamedTuple):
    """Bands of one size."""

    values: NDArray[Any]
    """[C, H, W], of the file's own type."""
    names: tuple[str, ...]
    """As the file tells them; empty where it does not."""
    nodata: float | None
    """What the file says marks a pixel without data."""
    format: str
    """TIFF, NPY or NPZ."""

    @property
    def layout(self) -> str:
        """What kind of image it is."""
        return layout(self.values.dtype.name, len(self.values))


def layout(kind: str, bands: int) -> str:
    """How many bands of which type, in words to count by."""
    return f"{kind} in {bands} band{'' if bands == 1 else 's'}"


def types_in(layout: str) -> list[str]:
    """The types that such words tell of."""
    return layout.split(" ", 1)[0].split("+")


def must_be_small_enough(
    name: str, *, bands: int, height: int, width: int, bytes_each: int
) -> None:
    """Refuses an image by what its header says, before memory is asked for it.

    Raises:
        UnreadableImageError: It claims too much.
    """
    if height * width > MOST_PIXELS or bands * height * width * bytes_each > MOST_BYTES:
        raise UnreadableImageError(
            name,
            "too large",
            f"{bands:,} bands of {width:,} x {height:,} pixels, {bytes_each} bytes each; at most "
            f"{MOST_PIXELS:,} pixels and {MOST_BYTES:,} bytes are decoded",
        )


def bands_first(
    values: NDArray[Any], *, name: str, count: int | None, axes: str = ""
) -> NDArray[Any]:
    """An array of one image as [C, H, W].

    Args:
        values: [H, W], [C, H, W] or [H, W, C].
        name: The image, as messages name it.
        count: How many bands it must have; None: not known.
        axes: Which axis is which, where the file says so: `SYX`, `YXS`, `YX`.

    Raises:
        UnreadableImageError: It is none of these, or nothing tells which.
    """
    if values.ndim == 2:
        return values[None]
    if axes in ("SYX", "YXS"):
        return values if axes == "SYX" else np.moveaxis(values, 2, 0)
    if values.ndim != 3 or axes or 0 in values.shape:
        shape = " x ".join(map(str, values.shape))
        raise UnreadableImageError(name, "unsupported", f"an array of {shape or 'one number'}")
    first, _, last = values.shape
    if count is not None and (first == count) != (last == count):
        return values if first == count else np.moveaxis(values, 2, 0)
    # Images are larger than they have bands: the smallest axis is that of the bands.
    smallest = min(values.shape)
    if (first == smallest) != (last == smallest) and sorted(values.shape)[1] > smallest:
        return values if first == smallest else np.moveaxis(values, 2, 0)
    shape = " x ".join(map(str, values.shape))
    found = f"an array of {shape}, of which nothing tells the bands' axis; set `data.band_names`"
    raise UnreadableImageError(name, "unsupported", found)
