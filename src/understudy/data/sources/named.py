"""Image files that a person names one by one or by their folder, in the order named."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from understudy.core.errors import DataError, UsageError
from understudy.data.sources.listing import seen
from understudy.data.sources.walk import SUFFIXES, Folder


class NamedImage(NamedTuple):
    """One image file."""

    path: Path
    name: str
    """As the person would write it."""


class NamedImages(NamedTuple):
    """What lies at the places named."""

    images: tuple[NamedImage, ...]
    ignored: Mapping[str, int]
    """Files in the folders that are no images, counted by reason."""


def named_images(places: Sequence[Path], *, suffixes: frozenset[str] = SUFFIXES) -> NamedImages:
    """The files named, whatever their suffix, and all images in the folders named, at any depth.

    Args:
        places: Files and folders.
        suffixes: What the names of images in folders end in.

    Raises:
        UsageError: Some place does not exist; all of them are told.
        DataError: The folders hold no images.
    """
    absent = [str(place) for place in places if not _exists(place)]
    if absent:
        raise UsageError("\n".join(["These images do not exist:", *(f"  {one}" for one in absent)]))
    ignored: Counter[str] = Counter()
    found = [image for place in places for image in _at(place, ignored, suffixes)]
    if not found:
        raise DataError(f"No images found in {', '.join(map(str, places))}.{seen(ignored)}")
    return NamedImages(tuple(found), +ignored)  # `+` takes the zero counts away


def _at(place: Path, ignored: Counter[str], suffixes: frozenset[str]) -> Iterator[NamedImage]:
    if not place.is_dir():
        yield NamedImage(place, str(place))
        return
    folder = Folder(place, name="", ignored=ignored, above=frozenset(), suffixes=suffixes)
    for file in folder.all_images():
        yield NamedImage(Path(file.path), f"{place}/{file.name}")


def _exists(place: Path) -> bool:
    try:
        return place.exists()
    except (OSError, ValueError):  # a name that no file system takes
        return False
