"""Some changes of fourteen, drawn anew for each view (RandAugment, Cubuk et al. 2020)."""

from collections.abc import Callable
from typing import Annotated, Literal, NamedTuple, get_args

import torch
from pydantic import Field, PositiveInt
from torch import Tensor

from understudy.data.augment.adjust import brighter, contrasted, saturated
from understudy.data.augment.affine import (
    moved_down,
    moved_right,
    rotated,
    slanted_down,
    slanted_right,
)
from understudy.data.augment.solarize import solarized
from understudy.data.augment.tone import autocontrast, equalized, posterized, sharpened
from understudy.data.augment.transform import (
    Dice,
    Frame,
    Probability,
    Transform,
    altered,
    spread,
    whole_numbers,
)

Operation = Literal[
    "identity",
    "autocontrast",
    "equalize",
    "brightness",
    "contrast",
    "color",
    "sharpness",
    "posterize",
    "solarize",
    "rotate",
    "shear_x",
    "shear_y",
    "translate_x",
    "translate_y",
]
OPERATIONS: tuple[Operation, ...] = get_args(Operation)


class _Change(NamedTuple):
    """What an operation does, and how much of it there may be."""

    change: Callable[..., Tensor]
    """Takes images [b, C, H, W], and a strength [b, 1, 1, 1] where there is a range."""
    span: tuple[float, float] | None = None


def _whole(bits: Tensor) -> Tensor:
    """4 to 8, all equally likely."""
    return bits.floor().clamp_(max=8)


_DIMMED = (0.05, 0.95)  # FixMatch, table 12: what is left of it
_SLANT = (-0.3, 0.3)
_CHANGES: dict[Operation, _Change] = {
    "autocontrast": _Change(autocontrast),
    "equalize": _Change(equalized),
    "brightness": _Change(brighter, _DIMMED),
    "contrast": _Change(contrasted, _DIMMED),
    "color": _Change(saturated, _DIMMED),
    "sharpness": _Change(sharpened, _DIMMED),
    "posterize": _Change(lambda images, bits: posterized(images, _whole(bits)), (4, 9)),
    "solarize": _Change(solarized, (0, 1)),
    "rotate": _Change(rotated, (-30, 30)),
    "shear_x": _Change(slanted_right, _SLANT),
    "shear_y": _Change(slanted_down, _SLANT),
    "translate_x": _Change(moved_right, _SLANT),
    "translate_y": _Change(moved_down, _SLANT),
}


class RandAugment(NamedTuple):
    """What each image goes through."""

    operation: Tensor
    """[B, N], int64: positions in `OPERATIONS`, in the order of the work; -1 where nothing."""
    strength: Tensor
    """[B, N], float32 in [0, 1): where in the operation's range."""

    def apply(self, images: Tensor) -> Tensor:
        """Takes the images that go through one operation together."""
        for operation, strength in zip(
            self.operation.unbind(1), self.strength.unbind(1), strict=True
        ):
            for place, name in enumerate(OPERATIONS):
                if name != "identity":
                    change, span = _CHANGES[name]
                    strengths = (spread(strength, span),) if span else ()
                    images = altered(images, operation == place, change, *strengths)
        return images


class RandAugmentSettings(Transform):
    """Draw some of fourteen changes for each view, and how much of each: FixMatch's strong view.

    As in FixMatch (Sohn et al. 2020, arXiv:2001.07685, table 12), a strength is drawn for each
    change; RandAugment (arXiv:1909.13719) has one for all, to be tuned.

    Departs from the authors' code: what is turned, slanted or moved is resampled bilinearly, and
    slanted about its centre; with all 8 bits `posterize` darkens by up to a 256th, as torchvision's
    does on floats.
    """

    kind: Literal["rand_augment"] = "rand_augment"
    probability: Probability = 1.0  # FixMatch: every strong view
    operations: PositiveInt = 2  # FixMatch's
    """How many changes follow each other; one may come twice."""
    among: Annotated[tuple[Operation, ...], Field(min_length=1)] = OPERATIONS
    """The changes, all equally likely. `color` needs three channels."""

    def objection(self, channels: int) -> str | None:
        """Saturation is a property of three colours."""
        if channels == 3 or "color" not in self.among:
            return None
        others = ", ".join(name for name in self.among if name != "color")
        return f"draws `color`, which needs 3 channels; list the others: `among: [{others}]`"

    def draw(self, dice: Dice, frame: Frame) -> RandAugment:
        """Which changes for each view, and how much of each."""
        del frame
        numbers = dice.roll(
            "applied",
            *(f"{what} {n}" for what in ("operation", "strength") for n in range(self.operations)),
        )
        applied = numbers[0]
        which, strength = numbers[1:].chunk(2)
        places = torch.tensor([OPERATIONS.index(name) for name in self.among])
        operation = places[whole_numbers(which, len(places))]
        never = applied >= self.probability
        return RandAugment(operation.masked_fill(never, -1).T, strength.T)
