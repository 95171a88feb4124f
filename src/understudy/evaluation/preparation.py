"""What turns an image file into what a model was trained on, as an exported file states it."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor

from understudy.core.errors import UsageError
from understudy.data.decode import VERSION, Channels, Decoding, Pixels, decode
from understudy.data.views import clean_view

CHANNELS: dict[Channels, int] = {"rgb": 3, "grey": 1}
MOST_SIDE = 1 << 14  # pixels; a file that asks for more asks for our memory


class Preparation(NamedTuple):
    """From a file to the network's pixels."""

    decoding: Decoding
    """`data/decode.py`: upright, on white, 8 bits, and the first resizing."""
    size: int
    """Height and width that the network sees: where the decoded image has others, its shorter
    side is resized to it (bilinear, antialiased) and the central square is taken."""

    def as_json(self) -> dict[str, Any]:
        """As the metadata of an exported file hold it."""
        return {"conversion": VERSION, **self.decoding._asdict()}

    def prepared(self, content: bytes, *, name: str) -> Tensor:
        """One image file as the network is given it, [C, size, size], float32 in [0, 1].

        Raises:
            UnreadableImageError: It cannot become pixels.
        """
        return self.seen(decode(content, name=name, decoding=self.decoding))

    def seen(self, pixels: Pixels) -> Tensor:
        """Decoded pixels [C, H, W] as the network is given them."""
        return clean_view(torch.from_numpy(pixels.copy())[None], size=self.size)[0]

    def in_words(self) -> list[str]:
        """The steps, each a clause, for a reader who writes them in another language."""
        first = self.decoding.size
        return [
            "the orientation of the EXIF tag is applied",
            "palettes and transparency are laid on white",
            "16-bit values v become (v + 128) div 257, everything else 8 bits",
            (
                "colours become R, G, B without colour management"
                if self.decoding.channels == "rgb"
                else "colours become one grey channel, 0.299 R + 0.587 G + 0.114 B"
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
    colours = next((name for name in CHANNELS if name == told.get("channels")), None)
    first = told.get("size")
    is_size = first is None or (isinstance(first, int) and 0 < first <= MOST_SIDE)
    fits = colours is not None and CHANNELS[colours] == channels
    if told.get("conversion") != VERSION or colours is None or not fits or not is_size:
        raise UsageError(
            f"{origin}: does not say how image files become its pixels, or says so in a way that "
            "this version does not know. Export the model again with this version."
        )
    return Preparation(Decoding(channels=colours, size=first), size)
