"""What turns an image file into what a model was trained on, as an exported file states it."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, NamedTuple, Self

import torch
from pydantic import Field, PositiveFloat, ValidationError
from torch import Tensor

from understudy.core.depth import Pixels
from understudy.core.errors import UsageError
from understudy.core.numbers import Numbers
from understudy.core.settings import Settings
from understudy.data.bands.choosing import BandName, BandNames
from understudy.data.bands.decoding import BandDecoding
from understudy.data.decode import VERSION, Channels, Content, Decoding
from understudy.data.sources.listing import AnyDecoding
from understudy.data.sources.walk import ARRAYS, SUFFIXES
from understudy.data.views import clean_view

CHANNELS: dict[Channels, int] = {"rgb": 3, "grey": 1}
OF_BANDS = "bands"
"""Stands in the place of `rgb` and `grey` where a file says how bands become its pixels."""
MOST_SIDE = 1 << 14  # pixels; a file that asks for more asks for our memory


class Preparation(NamedTuple):
    """From a file to the network's pixels."""

    decoding: AnyDecoding
    """`data/decode.py`: upright, on white, 8 bits, and the first resizing; or `data/bands/`: which
    bands, in which order, and what their numbers mean."""
    size: int
    """Height and width that the network sees: where the decoded image has others, its shorter
    side is resized to it (bilinear, antialiased) and the central square is taken."""
    numbers: Numbers | None = None
    """What the numbers of bands must be; None: what the decoding reads."""

    @property
    def apart(self) -> bool:
        """Whether an image is a folder, with a file for each band."""
        return isinstance(self.decoding, BandDecoding) and self.decoding.apart

    @property
    def suffixes(self) -> frozenset[str]:
        """What the names of image files end in."""
        return SUFFIXES | ARRAYS if isinstance(self.decoding, BandDecoding) else SUFFIXES

    def as_json(self) -> dict[str, Any]:
        """As the metadata of an exported file hold it."""
        if isinstance(self.decoding, BandDecoding):
            numbers = self.numbers.model_dump(mode="json") if self.numbers else None
            return {"channels": OF_BANDS, **self.decoding._asdict(), "numbers": numbers}
        return {"conversion": VERSION, **self.decoding._asdict()}

    def prepared(self, content: Content, *, name: str) -> Tensor:
        """One image file as the network is given it, [C, size, size], float32 in [0, 1].

        Raises:
            UnreadableImageError: It cannot become pixels, or its numbers are not those that the
                network learned from.
        """
        if isinstance(self.decoding, BandDecoding):
            found = self.decoding.decoded(content, name=name, only=self.numbers)
        else:
            found = self.decoding.decoded(content, name=name)
        return self.seen(found.pixels)

    def scaled(self, scale: float, *, origin: object) -> Self:
        """The same for files of any numbers, which are multiplied first.

        Args:
            scale: What takes their numbers to those that the network learned from.
            origin: The model, for the message.

        Raises:
            UsageError: It takes photographs, or nobody knows which numbers it learned from.
        """
        if not isinstance(self.decoding, BandDecoding):
            raise UsageError(f"--scale: of bands; {origin} takes photographs. Leave it out.")
        if self.numbers is None:
            raise UsageError(
                f"--scale: {origin} does not tell which numbers it learned from, for it was made "
                "before that was kept. Leave it out, and give it files as it was trained on."
            )
        decoding = self.decoding._replace(scale=scale, white=self.numbers.white)
        return self._replace(decoding=decoding, numbers=None)

    def seen(self, pixels: Pixels) -> Tensor:
        """Decoded pixels [C, H, W] as the network is given them."""
        return clean_view(torch.from_numpy(pixels.copy())[None], size=self.size)[0]

    def in_words(self) -> list[str]:
        """The steps, each a clause, for a reader who writes them in another language."""
        first = self.decoding.size
        return [
            *(
                _bands_in_words(self.decoding, self.numbers)
                if isinstance(self.decoding, BandDecoding)
                else _photographs_in_words(self.decoding)
            ),
            *(
                [
                    f"the central square is resized to {first} x {first} pixels (bicubic, "
                    "antialiased)"
                ]
                if first
                else []
            ),
            *(
                [
                    f"the shorter side is resized to {self.size} pixels (bilinear, antialiased) "
                    "and the central square is taken"
                ]
                if first != self.size
                else []
            ),
        ]


def _photographs_in_words(decoding: Decoding) -> list[str]:
    return [
        "the orientation of the EXIF tag is applied",
        "palettes and transparency are laid on white",
        "16-bit values v become (v + 128) div 257, everything else 8 bits",
        (
            "colours become R, G, B without colour management"
            if decoding.channels == "rgb"
            else "colours become one grey channel, 0.299 R + 0.587 G + 0.114 B"
        ),
    ]


def _numbers_in_words(decoding: BandDecoding, numbers: Numbers | None) -> list[str]:
    one = decoding.white / (decoding.scale or 1)
    become = f"from 0 to {one:.15g}, become 65,535 v / {one:.15g}, rounded"
    if decoding.scale is not None:
        whole, floats = f"whole numbers v, {become}", f"float values v, {become}"
    else:
        whole, floats = "whole numbers of 8 or 16 bits are kept", f"float values v, {become}"
    if numbers is None:
        return [whole, floats]
    if numbers.kind == "float":
        return [floats, "whole numbers are refused: the model learned from floats"]
    if decoding.scale is None:
        whole = f"whole numbers are kept, from 0 to {numbers.white:,.15g}"
    return [whole, "float values are refused: the model learned from whole numbers"]


def _bands_in_words(decoding: BandDecoding, numbers: Numbers | None) -> list[str]:
    told = f"as {', '.join(decoding.names)} in its order" if decoding.names else "as it names them"
    return [
        *([] if decoding.apart else [f"the bands of the file are called {told}"]),
        f"the channels are {', '.join(decoding.bands)}, in this order",
        *_numbers_in_words(decoding, numbers),
        "pixels without data, or that are no numbers, are refused",
        *(
            ["bands, each in a file `..._BAND.tif`, are resized to the largest of them (bicubic)"]
            if decoding.apart
            else []
        ),
    ]


def preparation_of(
    told: Mapping[str, Any], *, size: int, channels: int, origin: object
) -> Preparation:
    """What an exported file says of itself.

    Args:
        told: What `as_json` gave.
        size: Of the file's input.
        channels: Likewise.
        origin: The file, for the message.

    Raises:
        UsageError: It says nothing, or of a conversion that this version does not know.
    """
    if told.get("channels") == OF_BANDS:
        decoding, numbers = _of_bands(told, channels=channels, origin=origin)
        return Preparation(decoding, size, numbers)
    colours = next((name for name in CHANNELS if name == told.get("channels")), None)
    first = told.get("size")
    is_size = first is None or (isinstance(first, int) and 0 < first <= MOST_SIDE)
    fits = colours is not None and CHANNELS[colours] == channels
    if told.get("conversion") != VERSION or colours is None or not fits or not is_size:
        raise UsageError(f"{origin}: {_UNSAID}")
    return Preparation(Decoding(channels=colours, size=first), size)


_UNSAID = (
    "does not say how image files become its pixels, or says so in a way that this version does "
    "not know. Export the model again with this version."
)


class _Bands(Settings):
    """What a file may say of bands: closed as all settings are, for it may come from anyone."""

    channels: Literal["bands"]
    bands: BandNames
    names: tuple[BandName, ...]
    alone: bool
    size: Annotated[int, Field(gt=0, le=MOST_SIDE)] | None
    white: PositiveFloat
    nodata: float | Literal["ignore"] | None
    apart: bool
    conversion: Literal[1]
    scale: PositiveFloat | None = None
    numbers: Numbers | None = None


def _of_bands(
    told: Mapping[str, Any], *, channels: int, origin: object
) -> tuple[BandDecoding, Numbers | None]:
    try:
        found = _Bands.model_validate(dict(told))
    except ValidationError as error:
        raise UsageError(f"{origin}: {_UNSAID}") from error
    decoding = BandDecoding(**found.model_dump(exclude={"channels", "numbers"}))
    if len(decoding.bands) != channels:
        raise UsageError(f"{origin}: {_UNSAID}")
    return decoding, found.numbers
