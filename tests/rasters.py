"""Images of bands, written as others write them."""

import json
from io import BytesIO
from pathlib import Path
from typing import Any, Literal

import numpy as np
import tifffile
from numpy.typing import NDArray

Layout = Literal["planar", "interleaved", "pages"]
SIDES = {"B02": 24, "B03": 24, "B05": 12, "B01": 4}
"""Bands of a patch, and how large each is."""
LAYOUTS: tuple[Layout, ...] = ("planar", "interleaved", "pages")


def tiff(values: NDArray[Any], layout: Layout = "interleaved", **more: Any) -> bytes:
    """A TIFF of the bands [C, H, W]."""
    stream = BytesIO()
    told = {"photometric": "minisblack", "metadata": None, **more}
    if layout == "pages":
        with tifffile.TiffWriter(stream) as file:
            for band in values:
                file.write(band, **told)
    elif layout == "planar":
        tifffile.imwrite(stream, values, planarconfig="separate", **told)
    else:
        tifffile.imwrite(stream, np.moveaxis(values, 0, 2), planarconfig="contig", **told)
    return stream.getvalue()


def npy(values: NDArray[Any]) -> bytes:
    """An .npy file."""
    stream = BytesIO()
    np.save(stream, values)
    return stream.getvalue()


def npz(**arrays: NDArray[Any]) -> bytes:
    """An .npz file."""
    stream = BytesIO()
    named: dict[str, Any] = dict(arrays)
    np.savez(stream, **named)
    return stream.getvalue()


def bands(
    count: int = 4, *, height: int = 9, width: int = 7, seed: int = 0, most: int = 10_000
) -> NDArray[np.uint16]:
    """Random bands of 16 bits."""
    shape = (count, height, width)
    return np.random.default_rng(seed).integers(1, most, shape, dtype=np.uint16)


def class_folders(
    root: Path, *, classes: int = 3, each: int = 6, names: str = "B02 B03 B04 B08", size: int = 18
) -> Path:
    """`train/` and `test/` with class folders of TIFFs of named bands, each class of a level."""
    for split, seed in (("train", 0), ("test", 1000)):
        for label in range(classes):
            folder = root / split / f"class{label}"
            folder.mkdir(parents=True)
            for number in range(each):
                values = bands(
                    len(names.split()),
                    height=size,
                    width=size,
                    seed=seed + 100 * label + number,
                    most=1000 * (label + 1),
                )
                (folder / f"{number}.tif").write_bytes(tiff(values, description=names))
    return root


def patch(
    root: Path, name: str, *labels: str, without: str = "", seed: int = 0, most: int = 10_000
) -> Path:
    """A folder with a file for each band at its own resolution, and labels where there are any."""
    folder = root / name
    folder.mkdir(parents=True)
    for number, (band, side) in enumerate(SIDES.items()):
        if band != without:
            values = bands(1, height=side, width=side, seed=seed + number, most=most)
            (folder / f"{folder.name}_{band}.tif").write_bytes(tiff(values, "pages"))
    if labels:
        told = json.dumps({"labels": labels, "projection": "PROJCS[...]"})
        (folder / f"{folder.name}_labels_metadata.json").write_text(told)
    return folder
