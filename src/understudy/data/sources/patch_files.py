"""Patches: folders that hold a file for each band of one image, and perhaps a JSON of labels."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from understudy.data.decode import Content
from understudy.data.sources.walk import ImageFile

BAND_FILE = re.compile(r"_([^_./]+)\.tiff?$", re.IGNORECASE)
"""`..._B8A.tif`: what stands between the last underscore and the suffix is the band."""
SUFFIXES = frozenset({".tif", ".tiff", ".json"})


class Patch(NamedTuple):
    """One folder."""

    name: str
    """Relative to the data's folder, with forward slashes."""
    bands: Mapping[str, ImageFile]
    labels: ImageFile | None
    """Its JSON file."""
    clash: tuple[str, ImageFile] | None = None
    """A second file of one of the bands: then this is no single image, and none is read."""

    @property
    def files(self) -> list[ImageFile]:
        """All that is read."""
        further = [self.clash[1]] if self.clash else []
        return [*self.bands.values(), *further, *([self.labels] if self.labels else [])]

    def content(self, wanted: tuple[str, ...] | None) -> Content:
        """The files of its bands, by name: of the wanted ones, or of all where it lacks one."""
        names = wanted if wanted and self.bands.keys() >= set(wanted) else tuple(self.bands)
        files = [(name, self.bands[name]) for name in names] + ([self.clash] if self.clash else [])
        return tuple((name, Path(file.path).read_bytes()) for name, file in files)


def patches_of(files: Iterable[ImageFile], ignored: Counter[str]) -> list[Patch]:
    """The files of a folder, gathered by the folders they lie in, in the order of their names.

    Args:
        files: TIFF and JSON files at any depth.
        ignored: Counts what belongs to no patch.
    """
    gathered: dict[str, dict[str, ImageFile]] = {}
    labels: dict[str, ImageFile] = {}
    clashes: dict[str, tuple[str, ImageFile]] = {}
    for file in files:
        place, _, name = file.name.rpartition("/")
        band = BAND_FILE.search(name)
        if name.lower().endswith(".json"):
            labels.setdefault(place, file)
        elif band is None:
            ignored["TIFF whose name tells no band (..._B02.tif)"] += 1
        elif gathered.setdefault(place, {}).setdefault(band[1], file) is not file:
            clashes.setdefault(place, (band[1], file))
    lonely = [place for place in labels if place not in gathered]
    if lonely:
        ignored["JSON file beside no band"] += len(lonely)
    return [
        Patch(place, bands, labels.get(place), clashes.get(place))
        for place, bands in sorted(gathered.items())
    ]


def labels_in(path: Path) -> tuple[str, ...]:
    """The list `labels` of a JSON file, as BigEarthNet writes it.

    Raises:
        ValueError: It holds none.
    """
    try:
        found = json.loads(path.read_bytes())["labels"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise ValueError(f"no list `labels` ({type(error).__name__})") from error
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise ValueError("`labels` is no list of names")
    return tuple(found)
