"""From an image of bands to the pixels that the model takes, as README.md describes them."""

import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from PIL import Image

Array = np.ndarray[Any, np.dtype[Any]]


def pixels(file: Any, wanted: dict[str, Any]) -> Array:
    """[H, W, C] of a path, an open file, or a folder with a file `..._BAND.tif` for each band."""
    told, side = wanted["file"], wanted["height"]
    found, mark = _bands(file, told["names"], told["bands"])
    bands = [found[name] for name in told["bands"]]
    grid = max(band.shape for band in bands)
    mark = mark if told["nodata"] is None else told["nodata"]
    if mark not in (None, "ignore") and any(np.any(band == float(mark)) for band in bands):
        raise ValueError(f"pixels of value {mark}, which marks that there are no data")
    kind, scale = bands[0].dtype, told["scale"]
    small = 255 if kind == np.uint8 and not scale else 65535
    counted = told["white"] if scale or kind.kind == "f" else small
    _refuse_others("float" if kind.kind == "f" else "whole", counted, told["numbers"])
    top = counted / (scale or 1)
    if not all(np.all((band >= 0) & (band <= top)) for band in bands):  # false for NaN, too
        raise ValueError(f"values outside 0 to {top}")
    stack = np.stack([_on_grid(band, told["size"], grid) for band in bands])
    scaled = stack.astype(np.float64) * (small / top)
    whole = scaled.round().clip(0, small)
    if whole.shape[1:] != (side, side):
        whole = np.stack([_cut(band / small, side) for band in whole]) * small
    made: Array = whole.round().clip(0, small).astype(wanted["input"]["type"])
    return made.transpose(1, 2, 0)


def _refuse_others(kind: str, white: float, known: dict[str, Any] | None) -> None:
    """A file of other numbers than the model learned from, or of numbers that mean others."""
    if known is not None and (kind, white) != (known["kind"], known["white"]):
        raise ValueError(
            f"{kind} numbers from 0 to {white:,.15g}; the model learned from {known['kind']} "
            f"numbers from 0 to {known['white']:,.15g}. Convert the file to these"
        )


def _bands(file: Any, names: list[str], needed: list[str]) -> tuple[dict[str, Array], Any]:
    """The bands by name, and what marks no data; they lie in one file, or in one for each."""
    if not hasattr(file, "read") and Path(file).is_dir():
        files = [path for path in Path(file).glob("*_*") if re.search(r"(?i)\.tiff?$", path.name)]
        own = {re.split(r"[_.]", path.name)[-2]: path for path in files}
        read = {name: _arrays(own[name].read_bytes(), 1) for name in needed}
        return {name: one[0][0] for name, one in read.items()}, read[needed[0]][2]
    content = file.read() if hasattr(file, "read") else Path(file).read_bytes()
    arrays, told, mark = _arrays(content, len(names) or None)
    count = [str(number + 1) for number in range(len(arrays))]
    return dict(zip(names or told or count, arrays, strict=True)), mark


def _arrays(content: bytes, count: int | None) -> tuple[list[Array], list[str], Any]:
    if content[:2] in (b"II", b"MM"):
        with tifffile.TiffFile(io.BytesIO(content)) as tiff:
            pages: list[Any] = list(tiff.pages)
            pages = [page for page in pages if not (page.is_reduced or page.is_mask)]
            parts = [_first(page.asarray(), count, page.axes) for page in pages]
            words = re.split(r"[\s,;]+", pages[0].description.strip())
            gdal = str(pages[0].tags.valueof(42112, ""))
            told = re.findall(r'role="description"\s*>([^<]*)<', gdal) or words
        arrays = [band for part in parts for band in part]
        mark = pages[0].tags.valueof(42113)
        return arrays, told if len(told) == len(arrays) else [], mark
    loaded = np.load(io.BytesIO(content), allow_pickle=False)
    if isinstance(loaded, np.ndarray):
        return list(_first(loaded, count, "")), [], None
    if len(loaded.files) == 1:
        return list(_first(loaded[loaded.files[0]], count, "")), [], None
    return [loaded[name] for name in loaded.files], list(loaded.files), None


def _first(values: Array, count: int | None, axes: str) -> Array:
    """[C, H, W]; where nothing says which axis is the bands', it is the smallest."""
    if values.ndim == 2:
        return values[None]
    last = axes == "YXS" if axes else values.shape[2] == (count or min(values.shape))
    return np.moveaxis(values, 2, 0) if last else values


def _on_grid(band: Array, size: int | None, grid: tuple[int, ...]) -> Array:
    if band.shape == ((size, size) if size else grid):
        return band
    image = Image.fromarray(band.astype(np.float32))
    if not size:
        return np.asarray(image.resize((grid[1], grid[0]), Image.Resampling.BICUBIC))
    short = min(image.size)
    left, top = ((length - short) // 2 for length in image.size)
    box = (left, top, left + short, top + short)
    return np.asarray(image.resize((size, size), Image.Resampling.BICUBIC, box=box))


def _cut(band: Array, side: int) -> Array:
    image = Image.fromarray(band.astype(np.float32))
    width, height = (side * length // min(image.size) for length in image.size)
    image = image.resize((width, height), Image.Resampling.BILINEAR)
    left, top = round((width - side) / 2), round((height - side) / 2)
    return np.asarray(image.crop((left, top, left + side, top + side)))
