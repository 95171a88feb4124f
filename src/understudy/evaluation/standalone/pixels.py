"""From an image file to the pixels that the model takes, as README.md describes them."""

import contextlib
from typing import Any

import numpy as np
from PIL import Image, ImageOps


def pixels(file: Any, wanted: dict[str, Any]) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """[H, W, C] of a path or an open file; `wanted` is what the model says of its preprocessing."""
    image: Image.Image = Image.open(file)
    first, side = wanted["file"]["size"], wanted["height"]
    if first:  # a JPEG is decoded no larger than twice what is wanted
        image.draft(None, (2 * first, 2 * first))
    image.load()
    with contextlib.suppress(Exception):  # unreadable EXIF says nothing about the orientation
        ImageOps.exif_transpose(image, in_place=True)
    if image.mode.startswith("I"):  # 16 bits
        deep = np.asarray(image).astype(np.int64)
        image = Image.fromarray(((deep + 128) // 257).astype(np.uint8))
    if image.has_transparency_data:
        white = Image.new("RGBA", image.size, "white")
        white.alpha_composite(image.convert("RGBA"))
        image = white
    image = image.convert("L" if wanted["channels"] == 1 else "RGB")
    if first and image.size != (first, first):
        short = min(image.size)
        left, top = ((length - short) // 2 for length in image.size)
        box = (left, top, left + short, top + short)
        image = image.resize((first, first), Image.Resampling.BICUBIC, box=box)
    if image.size != (side, side):
        width, height = (side * length // min(image.size) for length in image.size)
        image = image.resize((width, height), Image.Resampling.BILINEAR)
        left, top = round((width - side) / 2), round((height - side) / 2)
        image = image.crop((left, top, left + side, top + side))
    return np.asarray(image, dtype=np.uint8).reshape(side, side, wanted["channels"])
