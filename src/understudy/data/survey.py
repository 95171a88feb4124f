"""A first look at images: how many of what, in which splits and sizes; headers alone are read."""

import io
import statistics
import warnings
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from understudy.core.annotations import kinds_of
from understudy.core.errors import UnderstudyError
from understudy.data.sources import every_source
from understudy.data.sources.folder import FolderSettings
from understudy.data.sources.listing import Listing, SourceSettings

MOST_OPENED = 500  # headers, spread evenly: enough to know the sizes, and done in a second
GREY = frozenset({"1", "L", "LA", "I;16", "I;16B", "I"})
"""Pillow's modes without a colour."""


class Survey(NamedTuple):
    """What lies there."""

    kind: str
    """Of the source that reads it."""
    path: Path
    classes: tuple[str, ...]
    splits: Mapping[str, int]
    """Images by split: "train", "val", "test", "unlabeled"; "" where the source gives none."""
    of_class: tuple[int, ...]
    """Images of each class that are in no given validation or test split."""
    sides: tuple[int, int, int]
    """Smallest, median and largest shorter side, of the images opened."""
    is_grey: bool
    """Whether none of the images opened has a colour."""
    opened: int
    unreadable: int
    """Of the images opened."""
    ignored: Mapping[str, int]

    @property
    def images(self) -> int:
        """All of them."""
        return sum(self.splits.values())

    @property
    def unlabeled(self) -> int:
        """Images in an unlabeled pool."""
        return self.splits.get("unlabeled", 0)


def survey(path: Path) -> Survey:
    """Looks at the images of a folder or a file.

    The sources that need more than class folders, such as a table of labels, are tried first.

    Raises:
        UnderstudyError: No source can read it; the message is that of class folders, or, where a
            file is named, of the source of such files.
    """
    kinds = [kind for kind in every_source() if "path" in kind.model_fields]
    errors: list[UnderstudyError] = []
    for kind in sorted(kinds, key=lambda one: one is FolderSettings):
        try:
            settings = kind.model_validate({"path": path})
            return _surveyed(settings, path, settings.listing())
        except UnderstudyError as error:
            errors.append(error)
    raise errors[-1 if path.is_dir() or not path.exists() else 0]


def _surveyed(settings: SourceSettings, path: Path, listing: Listing) -> Survey:
    sizes: list[int] = []
    modes: set[str] = set()
    places = np.linspace(0, len(listing.entries) - 1, min(MOST_OPENED, len(listing.entries)))
    opened = sorted({int(place) for place in places})
    for place in opened:
        header = _header(listing, place)
        if header:
            sizes.append(min(header[0]))
            modes.add(header[1])
    labels = Counter(
        entry.label
        for entry in listing.entries
        if entry.label >= 0 and entry.split in ("train", "")
    )
    return Survey(
        kind=str(kinds_of(type(settings))[0]),
        path=path,
        classes=listing.classes,
        splits=Counter(entry.split for entry in listing.entries),
        of_class=tuple(labels[label] for label in range(len(listing.classes))),
        sides=(min(sizes), round(statistics.median(sizes)), max(sizes)) if sizes else (0, 0, 0),
        is_grey=bool(modes) and modes <= GREY,
        opened=len(opened),
        unreadable=len(opened) - len(sizes),
        ignored={reason: count for reason, count in listing.ignored.items() if count},
    )


def _header(listing: Listing, place: int) -> tuple[tuple[int, int], str] | None:
    """Size and mode, or None where it is no image that can be opened."""
    try:
        content = listing.read(place)
        if not isinstance(content, bytes):
            channels, height, width = content.shape
            return (width, height), "L" if channels == 1 else "RGB"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(content)) as image:
                return image.size, image.mode
    except Exception:  # whatever a reader raises at damaged bytes; packing tells it in full
        return None
