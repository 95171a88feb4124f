"""A first look at images: how many of what, in which splits and sizes; headers alone are read."""

import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from understudy.core.annotations import kinds_of
from understudy.core.errors import DataError, UnderstudyError
from understudy.core.settings import checked
from understudy.data.bands.decoding import BandDecoding
from understudy.data.check.look import Look
from understudy.data.decode import UnreadableImageError, header
from understudy.data.packing import strict_and_quiet
from understudy.data.settings import DataSettings
from understudy.data.sources import every_source
from understudy.data.sources.folder import FolderSettings
from understudy.data.sources.listing import Listing, SourceSettings, existing, quoted

MOST_OPENED = 500  # headers, spread evenly: enough to know the sizes, and done in a second
MOST_TAGS = 5  # in a message
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
    has_bands: bool = False
    """Whether its images are bands, and no photographs."""
    given: Mapping[str, Any] = {}
    """The settings of the source that were asked for, beside its path."""

    @property
    def images(self) -> int:
        """All of them."""
        return sum(self.splits.values())

    @property
    def unlabeled(self) -> int:
        """Images in an unlabeled pool."""
        return self.splits.get("unlabeled", 0)


def survey(path: Path, given: Mapping[str, Any] | None = None) -> Survey:
    """Looks at the images of a folder or a file.

    The sources that need more than class folders, such as a table of labels, are tried first.

    Args:
        path: The folder, or the file.
        given: Further settings of the source, such as `root` of a table.

    Raises:
        UnderstudyError: No source can read it, or none of its images; the message is that of class
            folders, or, where a file is named, of the source of such files.
    """
    given = given or {}
    place = existing(path, key="data.path")
    kinds = [
        kind
        for kind in every_source()
        if "path" in kind.model_fields and given.get("kind") in (None, *kinds_of(kind))
    ]
    if not kinds:
        checked(DataSettings, {"data": {**given, "path": path}}, "init")  # tells which there are
    errors: list[UnderstudyError] = []
    for kind in sorted(kinds, key=lambda one: one is FolderSettings):
        try:
            values = {**given, "kind": kinds_of(kind)[0], "path": path}
            settings = checked(kind, values, "the images")
            listing = settings.listing()
        except UnderstudyError as error:
            errors.append(error)
        else:
            if listing.tags:
                raise DataError(_needs_scheme(path, listing.tags))
            with strict_and_quiet():
                return _surveyed(settings, path, listing)._replace(given=given)
    raise errors[-1 if place.is_dir() else 0]


def _needs_scheme(path: Path, tags: Sequence[str]) -> str:
    shown = quoted(tags[:MOST_TAGS]) + (", ..." if len(tags) > MOST_TAGS else "")
    return (
        f"{path}: images of several labels each ({shown}), of which a scheme makes classes. Run a "
        f"study with one: understudy run few-labels data.kind=patches data.path={path} "
        "'schemes.NAME={classes: {CLASS: [LABEL, ...]}, otherwise: CLASS}' scheme=NAME."
    )


def _surveyed(settings: SourceSettings, path: Path, listing: Listing) -> Survey:
    places = np.linspace(0, len(listing.entries) - 1, min(MOST_OPENED, len(listing.entries)))
    opened = sorted({int(place) for place in places})
    looks = [_header(listing, place) for place in opened]
    good = [look for look in looks if not look.reason]
    if not good:
        name, look = listing.entries[opened[0]].name, looks[0]
        raise DataError(
            f"{path}: none of the {len(opened):,} images opened can be read, such as {name}: "
            f"{look.reason} ({look.detail}). `understudy check-data` tells of all."
        )
    sizes = [min(look.width, look.height) for look in good]
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
        sides=(min(sizes), round(statistics.median(sizes)), max(sizes)),
        is_grey={look.mode for look in good} <= GREY,
        opened=len(opened),
        unreadable=len(opened) - len(good),
        has_bands=bool(listing.bands),
        ignored={reason: count for reason, count in listing.ignored.items() if count},
    )


def _header(listing: Listing, place: int) -> Look:
    """What one image says of itself, or why it cannot be opened."""
    name = listing.entries[place].name
    try:
        content = listing.read(place)
        if isinstance(listing.decoding, BandDecoding) and not isinstance(content, np.ndarray):
            return listing.decoding.decoded(content, name=name).look
        if isinstance(content, bytes):
            return header(content, name=name)
    except OSError as error:
        return Look(reason="unreadable", detail=str(error.strerror))
    except UnreadableImageError as error:
        return error.look
    assert isinstance(content, np.ndarray), "files of bands have bands to decode"
    channels, height, width = content.shape
    return Look(mode="L" if channels == 1 else "RGB", width=width, height=height)
