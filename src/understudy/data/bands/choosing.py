"""Which bands become the channels: those asked for, once some images were asked what they have."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
from pydantic import AfterValidator, BeforeValidator, Field

from understudy.core.errors import DataError, UsageError
from understudy.core.wording import closest
from understudy.data.bands.decoding import listed, names_in
from understudy.data.bands.names import colours
from understudy.data.decode import Content, UnreadableImageError

MOST_ASKED = 7  # images, spread evenly: three odd ones among them are outvoted
ENOUGH = 4  # that agree: the others cannot outvote them


def _as_text(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _some(names: tuple[str, ...]) -> tuple[str, ...]:
    if not names or len(set(names)) < len(names):
        raise ValueError("must name at least one band, and none twice")
    return names


BandName = Annotated[str, BeforeValidator(_as_text), Field(min_length=1)]
"""As files call it, or its number counted from 1."""
BandNames = Annotated[tuple[BandName, ...], AfterValidator(_some)]
WantedBands = Literal["all", "rgb"] | BandNames


class Chosen(NamedTuple):
    """The channels."""

    bands: tuple[str, ...]
    alone: bool
    """Whether images with further bands are of another kind."""


def chosen_bands(
    wanted: WantedBands,
    names: tuple[str, ...] | None,
    *,
    images: Sequence[str],
    read: Callable[[int], Content],
    origin: str,
) -> Chosen:
    """The names of the channels, in order.

    Args:
        wanted: Names; or `all`, in the order of most images asked; or `rgb`: red, green and blue.
        names: Of a file's bands, where they are given.
        images: Names of all images.
        read: Gives the content of one.
        origin: The source, as messages name it.

    Raises:
        UsageError: No image asked has these bands, or no name tells its colours.
        DataError: None of the images asked can be read.
    """
    if not images:
        return Chosen((), alone=False)
    if names is not None:
        return _of(wanted, [names], origin)
    found: list[tuple[str, ...]] = []
    errors: list[str] = []
    for place in np.unique(np.linspace(0, len(images) - 1, MOST_ASKED).astype(int)).tolist():
        try:
            there = names_in(read(place), name=images[place], names=())
        except UnreadableImageError as error:
            errors.append(str(error))
        except OSError as error:
            errors.append(f"{images[place]}: unreadable ({error.strerror})")
        else:
            found.append(there)
            if found.count(there) == ENOUGH or _has(there, wanted):
                break
    if not found:
        raise DataError(
            f"{origin}: none of the {len(errors)} images opened holds bands that can be read, such "
            f"as {errors[0]}."
        )
    return _of(wanted, found, origin)


def _of(wanted: WantedBands, found: Sequence[tuple[str, ...]], origin: str) -> Chosen:
    usual = max(found, key=found.count)  # of equals the first
    if wanted == "all":
        return Chosen(usual, alone=True)
    if wanted == "rgb":
        rgb = colours(usual)
        if rgb is None:
            raise UsageError(
                f"data.bands = rgb: the bands of {origin} are called {listed(usual)}, which does "
                "not tell red, green and blue. Name these three, as in data.bands=[B04,B03,B02]."
            )
        return Chosen(rgb, alone=False)
    there = dict.fromkeys(name for names in found for name in names)
    lacking = [band for band in wanted if band not in there]
    if lacking:
        close = closest(lacking[0], list(there))
        guess = f" Did you mean {close!r}?" if close else ""
        hint = "" if not _are_numbers(there) else " Name them in order with `data.band_names`."
        raise UsageError(
            f"data.bands: no image asked of {origin} has {', '.join(lacking)}; their bands are "
            f"{', '.join(there)}.{guess}{hint}"
        )
    return Chosen(tuple(wanted), alone=False)


def _has(there: tuple[str, ...], wanted: WantedBands) -> bool:
    return not isinstance(wanted, str) and set(wanted) <= set(there)


def _are_numbers(names: Sequence[str] | dict[str, None]) -> bool:
    return all(name.isdecimal() for name in names)
