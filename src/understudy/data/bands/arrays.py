"""Bands in NumPy's files: one array of all bands, or in an .npz one array for each. No pickle."""

import io
import math
import zipfile
from typing import Any

import numpy as np
from numpy.typing import NDArray

from understudy.data.bands.names import distinct
from understudy.data.bands.stack import MOST_BYTES, NUMPY, Stack, bands_first
from understudy.data.decode import UnreadableImageError

_OBJECTS = "holds objects of Python, which only a pickle can carry, and none is read"


def read_array(content: bytes, *, name: str, count: int | None) -> Stack:
    """The bands of an .npy file: [C, H, W], [H, W, C] or [H, W].

    Raises:
        UnreadableImageError: It holds something else.
    """
    values = bands_first(_array(content, name), name=name, count=count)
    return Stack(values, (), None, "NPY")


def read_archive(content: bytes, *, name: str, count: int | None) -> Stack:
    """The bands of an .npz file: one array as in an .npy, or [H, W] for each band, by its name.

    Raises:
        UnreadableImageError: It holds something else.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = archive.infolist()
        claimed = sum(member.file_size for member in members)
        if claimed > MOST_BYTES:
            found = f"unpacks to {claimed:,} bytes; at most {MOST_BYTES:,} are"
            raise UnreadableImageError(name, "too large", found)
        arrays = {
            member.filename.removesuffix(".npy"): _array(archive.read(member), name)
            for member in members
        }
    if len(arrays) == 1:
        (only,) = arrays.values()
        return Stack(bands_first(only, name=name, count=count), (), None, "NPZ")
    shapes = {array.shape for array in arrays.values()}
    if len(shapes) != 1 or len(next(iter(shapes))) != 2:
        found = ", ".join(f"{key} {_shape(array.shape)}" for key, array in list(arrays.items())[:8])
        raise UnreadableImageError(
            name, "unsupported", f"arrays {found or 'none'}; one of all bands, or one for each"
        )
    return Stack(np.stack(list(arrays.values())), distinct(list(arrays), len(arrays)), None, "NPZ")


def _array(content: bytes, name: str) -> NDArray[Any]:
    if not content.startswith(NUMPY):
        raise UnreadableImageError(name, "unsupported", "no array in NumPy's format")
    stream = io.BytesIO(content)
    version = np.lib.format.read_magic(stream)
    read = (
        np.lib.format.read_array_header_1_0
        if version == (1, 0)
        else np.lib.format.read_array_header_2_0
    )
    shape, _, dtype = read(stream)
    if dtype.hasobject:
        raise UnreadableImageError(name, "unsupported", _OBJECTS)
    needed = math.prod(shape) * dtype.itemsize
    if needed > len(content):
        found = f"shorter than an array of {_shape(shape)} {dtype.name}"
        raise UnreadableImageError(name, "damaged", found)
    values: NDArray[Any] = np.load(io.BytesIO(content), allow_pickle=False)
    return values


def _shape(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape)) or "one number"
