"""One conversion for images of bands, the same in training, evaluation and deployment.

- Bands are chosen and ordered by name.
- Whole numbers of 8 or 16 bits are kept as they are; other whole numbers become 16 bits.
- Float values run from 0 to `white`, and become 16 bits.
- With a scale, numbers of any type are multiplied by it first, and then count as floats.
- A pixel of a chosen band that is no number, or is marked as being without data, is an error.
- Bands of several sizes, each in a file of its own, are resized to the largest (bicubic).
- With a size, the shorter side is resized to it (bicubic, antialiased), then the centre is cropped.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from understudy.core.depth import Depth, white
from understudy.core.numbers import Numbers
from understudy.data.bands.arrays import read_archive, read_array
from understudy.data.bands.names import numbered
from understudy.data.bands.pixels import Band, Nodata, as_pixels, grid_of, must_be_pixels, one_type
from understudy.data.bands.stack import NUMPY, ZIP, Stack, layout
from understudy.data.bands.tiff import BEGINNINGS, read_tiff
from understudy.data.check.look import Look
from understudy.data.decode import Content, Decoded, UnreadableImageError, in_words

OTHER_BANDS = "other bands"
"""The reason of an image that does not have the bands that are wanted."""
OTHER_NUMBERS = "other numbers"
"""The reason of an image whose numbers are not those that a network learned from."""
MOST_NAMES = 6  # of bands, in a sentence


class BandDecoding(NamedTuple):
    """Which bands become the channels, and what their numbers mean."""

    bands: tuple[str, ...]
    """The channels, in order."""
    names: tuple[str, ...] = ()
    """What a file's bands are called, in its order; empty: as the file tells it, else 1, 2, ..."""
    alone: bool = False
    """Whether a file with further bands is one of another kind."""
    size: int | None = None
    """Height and width, or None: as the file has it."""
    white: float = 1.0
    """The value of float or scaled pixels that counts as 1."""
    nodata: Nodata = None
    """What marks a pixel without data; None: what the file says; "ignore": nothing does."""
    apart: bool = False
    """Whether each band lies in a file of its own, and those of an image in a folder."""
    conversion: int = 1
    """Version of this conversion: packs are keyed by it, so a change here makes new ones."""
    scale: float | None = None
    """What the files' numbers are multiplied by; None: by nothing, and whole numbers are kept."""

    @property
    def keyed(self) -> tuple[Any, ...]:
        """As packs are keyed by it: those without a scale as before there were scales."""
        return tuple(self) if self.scale is not None else tuple(self[:-1])

    def numbers_of(self, kind: np.dtype[Any]) -> Numbers:
        """What numbers of this type are, as they are read."""
        is_float = kind.kind == "f"
        if is_float or self.scale is not None:
            return Numbers(kind="float" if is_float else "whole", white=self.white)
        return Numbers(kind="whole", white=white(self.depth_of(kind)))

    def depth_of(self, kind: np.dtype[Any]) -> Depth:
        """How deep the pixels become that numbers of this type are read as."""
        return "uint8" if kind == np.uint8 and self.scale is None else "uint16"

    def decoded(self, content: Content, *, name: str, only: Numbers | None = None) -> Decoded:
        """The bands of one image, and what it says of itself.

        Args:
            content: A file, or a file for each band.
            name: The image, as messages name it.
            only: What its numbers must be; None: whatever can be read.

        Raises:
            UnreadableImageError: It is damaged, has other bands or numbers, or pixels that are
                none.
            MissingResourceError: What reads it is not installed.
        """
        with in_words(name):
            found = _found(content, self.names, name=name)
            bands = self._chosen(found, name=name)
            try:
                kind = one_type(bands, name=name)
                if only is not None and self.numbers_of(kind) != only:
                    told = f"{kind.name}: {self.numbers_of(kind)}; the model learned from {only}"
                    raise UnreadableImageError(name, OTHER_NUMBERS, told)
                brightest = self._brightest(kind)
                must_be_pixels(bands, brightest=brightest, nodata=self.nodata, name=name)
            except UnreadableImageError as error:
                raise UnreadableImageError(name, error.reason, error.detail, found.look) from error
            return Decoded(as_pixels(bands, size=self.size, brightest=brightest), found.look)

    def _brightest(self, kind: np.dtype[Any]) -> float | None:
        """The value of the file's own numbers that becomes 1; None where they are kept."""
        if self.scale is not None:
            return self.white / self.scale
        return self.white if kind.kind == "f" else None

    def _chosen(self, found: "_Found", *, name: str) -> list[Band]:
        lacking = [band for band in self.bands if band not in found.bands]
        further = [band for band in found.bands if band not in self.bands]
        if lacking or (further and self.alone):
            differs = f"lacks {listed(lacking)}" if lacking else f"has {listed(further)} as well"
            is_nameless = tuple(found.bands) == numbered(len(found.bands))
            if lacking == list(self.bands) and is_nameless and len(lacking) <= len(found.bands):
                differs = "the file does not name its bands, `data.band_names` can"
            detail = f"{found.look.mode}: {listed(tuple(found.bands))}; {differs}"
            raise UnreadableImageError(name, OTHER_BANDS, detail, look=found.look)
        return [found.bands[band] for band in self.bands]


class _Found(NamedTuple):
    bands: Mapping[str, Band]
    look: Look


def names_in(content: Content, *, name: str, names: tuple[str, ...]) -> tuple[str, ...]:
    """What the bands of an image are called, in its order.

    Args:
        content: A file, or a file for each band.
        name: The image, as messages name it.
        names: As given, where they are.

    Raises:
        UnreadableImageError: It cannot be read, or has another number of bands.
    """
    if isinstance(content, tuple):
        return tuple(dict.fromkeys(band for band, _ in content))
    with in_words(name):
        return tuple(_found(content, names, name=name).bands)


def listed(names: Sequence[str]) -> str:
    """The names; of many the first and the last."""
    if len(names) <= MOST_NAMES:
        return ", ".join(names)
    return f"{', '.join(names[:3])}, ..., {names[-1]}"


def _found(content: Content, names: tuple[str, ...], *, name: str) -> _Found:
    if isinstance(content, tuple):
        return _of_files(content, name=name)
    stack = _stack(content, name=name, count=len(names) or None)
    look = _look(stack.format, stack.layout, stack.values.shape[1:])
    if names != stack.names and sorted(names) == sorted(stack.names):
        own = f"the file's own order is {', '.join(stack.names)}; `data.band_names` says another"
        raise UnreadableImageError(name, OTHER_BANDS, f"{stack.layout}; {own}", look=look)
    given = names or stack.names or numbered(len(stack.values))
    if len(given) != len(stack.values):
        detail = f"{stack.layout}; `data.band_names` names {len(given)}"
        raise UnreadableImageError(name, OTHER_BANDS, detail, look=look)
    pairs = zip(given, stack.values, strict=True)
    return _Found({band: Band(band, values, stack.nodata) for band, values in pairs}, look)


def _of_files(files: tuple[tuple[str, bytes], ...], *, name: str) -> _Found:
    bands: dict[str, Band] = {}
    for band, content in files:
        if band in bands:
            detail = f"several files of {band}; a folder holds the bands of one image"
            raise UnreadableImageError(name, OTHER_BANDS, detail)
        stack = _stack(content, name=f"{name}, {band}", count=1)
        if len(stack.values) != 1:
            detail = f"the file of {band} holds {stack.layout}, not one"
            raise UnreadableImageError(name, OTHER_BANDS, detail)
        bands[band] = Band(band, stack.values[0], stack.nodata)
    if not bands:
        raise UnreadableImageError(name, OTHER_BANDS, "no file of any band")
    types = "+".join(sorted({band.values.dtype.name for band in bands.values()}))
    grid = grid_of(list(bands.values()))
    return _Found(bands, _look("BANDS", layout(types, len(bands)), grid))


def _look(format: str, mode: str, shape: Sequence[int]) -> Look:
    return Look(format=format, mode=mode, width=shape[1], height=shape[0])


def _stack(content: bytes, *, name: str, count: int | None) -> Stack:
    """The bands of one file, by what it holds and not by what it is called."""
    if not content:
        raise UnreadableImageError(name, "empty", "0 bytes")
    if content.startswith(BEGINNINGS):
        return read_tiff(content, name=name, count=count)
    if content.startswith(NUMPY):
        return read_array(content, name=name, count=count)
    if content.startswith(ZIP):
        return read_archive(content, name=name, count=count)
    begins = f"begins with {content[:12]!r}; bands are read of TIFF, .npy and .npz"
    raise UnreadableImageError(name, "unsupported", begins)
