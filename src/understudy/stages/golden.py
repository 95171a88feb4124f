"""Images with the answers that belong to them, so that others can see that they do the same."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from understudy.core.depth import Pixels, depth_of, white
from understudy.core.errors import UnderstudyError
from understudy.core.files import write_bytes
from understudy.data.pack import Pack
from understudy.data.sources import AnySource
from understudy.data.views import as_pixels
from understudy.evaluation.parity import reference_logits
from understudy.evaluation.preparation import Preparation
from understudy.evaluation.temperature import softmax
from understudy.stages.material import Indices
from understudy.stages.observers import pixels_of

FILES = 3  # whole image files beside the pixels, to compare decoding and resizing with
MOST_FILE_BYTES = 4 << 20  # of each; the folder shall stay small enough to hand on
CLOSE = 2  # of 255: how far two decoders and two resizings of one file may lie apart


def write_golden(
    path: Path,
    *,
    network: nn.Module,
    temperature: float,
    preparation: Preparation,
    pack: Pack,
    source: AnySource,
    images: Indices,
) -> dict[str, int]:
    """Writes `golden.npz`: arrays alone, nothing that could be run.

    `pixels` [N, H, W, C] as the exported file takes them; `logits` and `probabilities` [N, K] as
    the network itself gave them; `names` [N]; for some of the images the whole file, as bytes in
    `file_0`, `file_1`, ..., with the rows of `pixels` that they must become in `files`.

    Returns:
        How many images and files it holds.
    """
    shown = pixels_of(pack, images, size=preparation.size)
    logits = reference_logits(network, shown)
    contents = _contents(source, pack, images, shown, preparation)
    arrays: dict[str, Any] = {
        "pixels": np.ascontiguousarray(shown.transpose(0, 2, 3, 1)),
        "logits": logits,
        "probabilities": softmax(logits, temperature=temperature).astype(np.float32),
        "names": np.array([pack.names[position] for position in images]),
        "files": np.array(list(contents), dtype=np.int64),
    }
    for number, content in enumerate(contents.values()):
        arrays[f"file_{number}"] = np.frombuffer(content, dtype=np.uint8)
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)
    write_bytes(path, stream.getvalue())
    return {"images": len(images), "files": len(contents)}


def _contents(
    source: AnySource,
    pack: Pack,
    images: Indices,
    shown: Pixels,
    preparation: Preparation,
) -> Mapping[int, bytes]:
    """Files of some of the images, by row: those that become the very pixels that were packed."""
    listing = source.listing()
    if listing.decoding is None:
        return {}
    places = {entry.name: place for place, entry in enumerate(listing.entries)}
    found: dict[int, bytes] = {}
    for row, position in enumerate(images):
        if len(found) == FILES:
            break
        place = places.get(pack.names[position])
        content = None if place is None else _read(listing.read, place)
        if content is None or not _becomes(content, shown[row], preparation):
            continue
        found[row] = content
    return found


def _read(read: Any, place: int) -> bytes | None:
    try:
        content = read(place)
    except OSError:  # it was there when the images were packed; the pixels still are
        return None
    return content if isinstance(content, bytes) and len(content) <= MOST_FILE_BYTES else None


def _becomes(content: bytes, pixels: Pixels, preparation: Preparation) -> bool:
    """Whether a file still gives what was packed from it."""
    try:
        prepared = preparation.prepared(content, name="golden")
    except UnderstudyError:
        return False
    made = as_pixels(prepared, depth_of(pixels.dtype)).numpy().astype(np.int64)
    apart = np.abs(made - pixels.astype(np.int64)).max()
    return bool(apart <= CLOSE * white(pixels.dtype) / white(np.uint8))
