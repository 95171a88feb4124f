"""Which images a network has learned from: its own, and those of the runs that it was made from.

A test image among them makes every figure on it too good, so an evaluation looks here.
"""

from collections.abc import Iterable
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from understudy.core.files import make_folder, write_bytes
from understudy.core.run import Run, finished_summary
from understudy.data.fingerprint import Fingerprints
from understudy.data.pack import Pack, stored_pack
from understudy.stages.material import Indices

FOLDER = "data/shown"
"""Holds a file for each pack, called by its key: a bit for each image, packed."""


class Seen(NamedTuple):
    """Which of some images a network has learned from."""

    positions: Indices
    """Those whose pixels are equal to those of an image that was shown."""
    unknown: int
    """Packs of images that were shown and are gone, so that nobody can compare them."""


def write_shown(run: Run, pack: Pack, images: Indices, parents: Iterable[Path]) -> None:
    """Writes down which images a training shows, and those that its parents were shown.

    Args:
        run: The training.
        pack: Its images.
        images: Positions of those that it shows.
        parents: The runs that it starts from or learns from.
    """
    own = np.zeros(len(pack.images), dtype=np.bool_)
    own[images] = True
    found = {pack.key: np.packbits(own)}
    for parent in parents:
        for key, bits in _written(parent).items():
            found[key] = bits if key not in found else found[key] | bits
    folder = make_folder(run.path / FOLDER)
    for key, bits in found.items():
        stream = BytesIO()
        np.save(stream, bits, allow_pickle=False)
        write_bytes(folder / f"{key}.npy", stream.getvalue())


def seen_by(path: Path, pack: Pack, images: Indices, *, shared: Path) -> Seen:
    """Which images a finished run, or what it was made from, has learned from; by their pixels.

    A run that wrote nothing down, such as adopted weights, has seen none as far as is known.

    Args:
        path: The run.
        pack: The images that are asked about.
        images: Their positions in it.
        shared: Where packs lie.
    """
    seen, unknown = np.zeros(len(images), dtype=np.bool_), 0
    asked = _words(pack.fingerprints[images])
    for key, bits in _written(path).items():
        other = pack if key == pack.key else stored_pack(key, shared=shared)
        if other is None:
            unknown += 1
            continue
        shown = np.unpackbits(bits, count=len(other.fingerprints)).astype(np.bool_)
        seen |= np.isin(asked, _words(other.fingerprints[shown]))
    return Seen(images[seen], unknown)


def said_so(path: Path) -> bool:
    """Whether a run, or one that it was made from, was told to learn from test images."""
    return bool(finished_summary(path).get("learned_from_test"))


def told_of(asked: Iterable[str], parents: Iterable[Path]) -> dict[str, Any]:
    """For the summary of a training: whether test images were asked for, there or before.

    Args:
        asked: The names of the images that it shows.
        parents: The runs that it starts from or learns from.
    """
    return {"learned_from_test": "test" in asked or any(map(said_so, parents))}


def _written(run: Path) -> dict[str, NDArray[np.uint8]]:
    files = sorted((run / FOLDER).glob("*.npy"))
    return {file.stem: np.load(file, allow_pickle=False) for file in files}


def _words(fingerprints: Fingerprints) -> NDArray[np.void]:
    """One comparable value for each fingerprint."""
    both = np.ascontiguousarray(fingerprints)
    return both.view([("low", np.uint64), ("high", np.uint64)]).reshape(-1)
