"""What all sources of image files have in common: their pixels, a pool beside them, groups."""

import os
import re
from abc import abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Annotated, Literal, NamedTuple, Self

from pydantic import AfterValidator, PositiveFloat, PositiveInt, model_validator

from understudy.core.errors import UsageError
from understudy.core.settings import Added
from understudy.data.bands.choosing import BandNames, WantedBands, chosen_bands
from understudy.data.bands.decoding import BandDecoding
from understudy.data.check.finding import Finding
from understudy.data.decode import Channels, Content, Decoding
from understudy.data.sources.listing import (
    KIND_OF_SUFFIX,
    AnyDecoding,
    Entry,
    Listing,
    SourceSettings,
    existing,
    seen,
)
from understudy.data.sources.walk import ARRAYS, SUFFIXES, Folder, ImageFile, stamp_of

POOL = "data.unlabeled"
"""The setting that names a pool, and the beginning of its images' names."""
OF_BANDS = ("band_names", "white", "scale", "nodata")
"""Settings that mean nothing without `bands`."""


def _with_a_group(pattern: str) -> str:
    try:
        groups = re.compile(pattern).groups
    except (re.error, RecursionError, OverflowError) as error:
        raise ValueError(f"no regular expression: {error}") from error
    if not groups:
        raise ValueError(r"must have parentheses around the group's name, such as `(scene\d+)_`")
    return pattern


class Found(NamedTuple):
    """What a source of files holds, before a pool and groups are added."""

    origin: str
    """The source, as messages name it."""
    root: Path
    classes: tuple[str, ...]
    entries: Sequence[Entry]
    read: Callable[[int], Content]
    """The i-th entry's file content; safe to call from many threads."""
    files: Sequence[ImageFile]
    """Every file that is read."""
    ignored: Mapping[str, int]
    also: str = ""
    """What beside the files decides which of their bytes are read."""
    problems: tuple[Finding, ...] = ()
    """What is wrong with the arrangement."""
    tags: tuple[str, ...] = ()
    """Every label there is, where an image may have several."""


class FileSourceSettings(SourceSettings):
    """Base of sources that hold image files of any kind and size."""

    channels: Channels = "rgb"
    """Of photographs: keep three colour channels, or one grey channel."""
    bands: Annotated[WantedBands | None, Added()] = None
    """Of images that are no photographs, the bands that become the channels, by name, in this
    order: [B04, B03, B02]. Or `all`; or `rgb`: those called red, green and blue, or so by
    Sentinel-2. Read are TIFF of any number of bands, .npy and .npz, 16 bits kept."""
    band_names: Annotated[BandNames | None, Added()] = None
    """What the bands of a file are called, in its order; by default as the file tells it, else 1,
    2, ..."""
    white: Annotated[PositiveFloat, Added()] = 1.0
    """Of bands of floats, or of scaled ones, the value that counts as 1; whole numbers without
    `scale` are kept as they are."""
    scale: Annotated[PositiveFloat | None, Added()] = None
    """Of bands, what every number of the files is multiplied by before `white` counts: 0.0001 takes
    whole numbers of which 10,000 is reflectance 1 to reflectances. By default nothing is."""
    nodata: Annotated[float | Literal["ignore"] | None, Added()] = None
    """Of bands, the value that marks pixels without data, which are an error; by default what the
    file says. `ignore`: none does."""
    size: PositiveInt | None = None
    """Height and width of all images: the shorter side is resized to it, then the centre is
    cropped. Without it, all images must already have one size."""
    unlabeled: Path | None = None
    """A further folder of images without labels, at any depth; what the source names already is
    not taken twice."""
    group_pattern: Annotated[str, AfterValidator(_with_a_group)] | None = None
    r"""Regular expression, searched in the names of images of no group; its first parentheses hold
    the group: `(scene\d+)_` keeps the tiles of a scene on one side of every split."""

    @model_validator(mode="after")
    def _bands_are_asked_for(self) -> Self:
        given = [
            name
            for name in OF_BANDS
            if getattr(self, name) != type(self).model_fields[name].default
        ]
        if self.bands is None and given:
            raise ValueError(
                f"{', '.join(given)}: of bands; set `bands` as well, such as bands=all"
            )
        if self.bands is not None and self.channels != "rgb":
            raise ValueError("channels: of photographs; leave it out beside `bands`")
        lacking = set(self.bands or ()) - set(self.band_names or ())
        if isinstance(self.bands, tuple) and self.band_names and lacking:
            raise ValueError(f"bands: {', '.join(sorted(lacking))} not among `band_names`")
        return self

    @property
    def suffixes(self) -> frozenset[str]:
        """What the names of images end in."""
        return SUFFIXES if self.bands is None else SUFFIXES | ARRAYS

    def decoding(self, bands: tuple[str, ...], *, alone: bool = False) -> AnyDecoding:
        """What the pixels shall be.

        Args:
            bands: The channels' names; empty where they are those of photographs.
            alone: Whether images with further bands are of another kind.
        """
        if not bands:
            return Decoding(channels=self.channels, size=self.size)
        return BandDecoding(
            bands=bands,
            names=self.band_names or (),
            alone=alone,
            size=self.size,
            white=self.white,
            nodata=self.nodata,
            scale=self.scale,
        )

    @abstractmethod
    def found(self) -> Found:
        """The source without its pool; what is wrong with it stands in the answer.

        Raises:
            UsageError: The place does not exist.
            DataError: Nothing can be listed there.
        """

    def survey(self) -> Listing:
        """The images of the source, then those of the pool."""
        own = self.found()
        ignored = Counter(own.ignored)
        problems = list(own.problems)
        pool = self._pool(own.files, ignored, problems)
        entries = [*own.entries, *(Entry(file.name, "unlabeled", -1) for file in pool)]
        in_pool, count = reading(pool), len(own.entries)

        def read(index: int) -> Content:
            return own.read(index) if index < count else in_pool(index - count)

        return Listing(
            origin=own.origin,
            classes=own.classes,
            entries=tuple(self._grouped(entries)),
            read=read,
            decoding=self._decoding_of(entries, read, origin=own.origin),
            ignored=+ignored,  # `+` takes the zero counts away
            stamp=stamp_of(own.root, [*own.files, *pool], also=own.also),
            problems=tuple(problems),
            tags=own.tags,
        )

    def _decoding_of(
        self, entries: Sequence[Entry], read: Callable[[int], Content], *, origin: str
    ) -> AnyDecoding:
        if self.bands is None:
            return self.decoding(())
        found = chosen_bands(
            self.bands,
            self.band_names,
            images=[entry.name for entry in entries],
            read=read,
            origin=origin,
        )
        return self.decoding(found.bands, alone=found.alone)

    def _pool(
        self, own: Iterable[ImageFile], ignored: Counter[str], problems: list[Finding]
    ) -> list[ImageFile]:
        """The files of the pool that the source itself does not name."""
        if self.unlabeled is None:
            return []
        folder = top(self.unlabeled, key=POOL, name=POOL, ignored=ignored, suffixes=self.suffixes)
        files = images_in(folder, problems)
        real = cache(os.path.realpath)  # of folders, of which there are few

        def place(file: ImageFile) -> str:
            folder, name = os.path.split(file.path)
            return os.path.join(real(folder), name)

        known = {place(file) for file in own}
        further = [file for file in files if place(file) not in known]
        ignored[f"image of {POOL} that the data names already"] += len(files) - len(further)
        return further

    def _grouped(self, entries: Sequence[Entry]) -> Sequence[Entry]:
        """The entries with the groups that their names tell.

        Raises:
            UsageError: No name tells any. Names that tell none are counted by the split.
        """
        if self.group_pattern is None:
            return entries
        search = re.compile(self.group_pattern).search
        told = [
            match[1] or "" if not entry.group and (match := search(entry.name)) else entry.group
            for entry in entries
        ]
        if not any(told):
            example = f", such as {entries[0].name!r}" if entries else ""
            raise UsageError(
                f"data.group_pattern = {self.group_pattern}: finds no group in any of "
                f"{len(entries)} names{example}."
            )
        return [entry._replace(group=name) for entry, name in zip(entries, told, strict=True)]


def reading(files: Sequence[ImageFile]) -> Callable[[int], bytes]:
    """A function that gives the content of the i-th file."""

    def read(index: int) -> bytes:
        return Path(files[index].path).read_bytes()

    return read


def images_in(folder: Folder, problems: list[Finding]) -> list[ImageFile]:
    """The images of a folder without labels; that it has none joins the problems."""
    files = list(folder.all_images())
    if not files:
        sentence = (
            f"{folder.path}: no images found in this folder of unlabeled images. "
            f"Add some, or leave the folder out.{seen(folder.ignored)}"
        )
        problems.append(Finding("empty unlabeled folder", "error", sentence))
    return files


def top(
    path: Path,
    *,
    key: str,
    name: str,
    ignored: Counter[str],
    suffixes: frozenset[str] = SUFFIXES,
) -> Folder:
    """A folder that a setting names.

    Raises:
        UsageError: There is none.
    """
    place = existing(path, key=key)
    if not place.is_dir():
        kind = KIND_OF_SUFFIX.get(path.suffix.lower()) if key == "data.path" else None
        advice = f"Set `data.kind={kind}`" if kind else "Name the folder that holds the images"
        raise UsageError(f"{key} = {path}: is a file. {advice}.")
    return Folder(place, name=name, ignored=ignored, above=frozenset(), suffixes=suffixes)
