"""Image files that a person names one by one or by their folder, in the order named."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from understudy.core.errors import DataError, UsageError
from understudy.data.decode import Content
from understudy.data.sources import patch_files
from understudy.data.sources.listing import seen
from understudy.data.sources.walk import SUFFIXES, Folder


class NamedImage(NamedTuple):
    """One image file."""

    path: Path
    name: str
    """As the person would write it."""
    patch: patch_files.Patch | None = None
    """The files of its bands, where each has one."""

    def content(self) -> Content:
        """What it holds.

        Raises:
            OSError: It cannot be read.
        """
        return self.patch.content(None) if self.patch else self.path.read_bytes()


class NamedImages(NamedTuple):
    """What lies at the places named."""

    images: tuple[NamedImage, ...]
    ignored: Mapping[str, int]
    """Files in the folders that are no images, counted by reason."""


def named_images(
    places: Sequence[Path], *, suffixes: frozenset[str] = SUFFIXES, apart: bool = False
) -> NamedImages:
    """The files named, whatever their suffix, and all images in the folders named, at any depth.

    Args:
        places: Files and folders.
        suffixes: What the names of images in folders end in.
        apart: Whether an image is a folder with a file for each band, and not a file.

    Raises:
        UsageError: Some place does not exist; all of them are told.
        DataError: The folders hold no images.
    """
    absent = [str(place) for place in places if not _exists(place)]
    if absent:
        raise UsageError("\n".join(["These images do not exist:", *(f"  {one}" for one in absent)]))
    ignored: Counter[str] = Counter()
    found = [image for place in places for image in _at(place, ignored, suffixes, apart)]
    if not found:
        raise DataError(f"No images found in {', '.join(map(str, places))}.{seen(ignored)}")
    return NamedImages(tuple(found), +ignored)  # `+` takes the zero counts away


def _at(
    place: Path, ignored: Counter[str], suffixes: frozenset[str], apart: bool
) -> Iterator[NamedImage]:
    if not place.is_dir():
        yield NamedImage(place, str(place))
        return
    if apart:
        yield from _patches_at(place, ignored)
        return
    folder = Folder(place, name="", ignored=ignored, above=frozenset(), suffixes=suffixes)
    for file in folder.all_images():
        yield NamedImage(Path(file.path), f"{place}/{file.name}")


def _patches_at(place: Path, ignored: Counter[str]) -> Iterator[NamedImage]:
    folder = Folder(
        place, name="", ignored=ignored, above=frozenset(), suffixes=patch_files.SUFFIXES
    )
    for patch in patch_files.patches_of(folder.all_images(), ignored):
        yield NamedImage(place / patch.name, f"{place}/{patch.name}".rstrip("/"), patch)


def _exists(place: Path) -> bool:
    try:
        return place.exists()
    except (OSError, ValueError):  # a name that no file system takes
        return False
