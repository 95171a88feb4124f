"""Two different transforms for each view, drawn anew, with pairs that are never drawn."""

from collections.abc import Sequence
from itertools import combinations
from typing import Any, Literal, NamedTuple, Self

import torch
from pydantic import model_validator
from torch import Tensor

from understudy.data.augment.brightness import BrightnessSettings
from understudy.data.augment.contrast import ContrastSettings
from understudy.data.augment.flip import FlipSettings
from understudy.data.augment.gain import GainSettings
from understudy.data.augment.gaussian_blur import GaussianBlurSettings
from understudy.data.augment.random_resized_crop import RandomResizedCropSettings
from understudy.data.augment.rotate90 import Rotate90Settings
from understudy.data.augment.shift import ShiftSettings
from understudy.data.augment.single import SingleTransform
from understudy.data.augment.speckle import SpeckleSettings
from understudy.data.augment.transform import (
    Dice,
    Frame,
    Probability,
    Transform,
    of_views,
    whole_numbers,
)
from understudy.data.augment.window import Flip, Window, seen_through

NINE: tuple[SingleTransform, ...] = (
    ShiftSettings(),
    # SimCLR-S2's zoom, whose range is not told: half of the area at least, and no stretching.
    RandomResizedCropSettings(scale=(0.5, 1.0), ratio=(1.0, 1.0)),
    Rotate90Settings(probability=1.0),
    FlipSettings(probability=1.0),
    BrightnessSettings(),
    ContrastSettings(),
    GainSettings(),
    GaussianBlurSettings(probability=1.0, kernel_size=5),
    SpeckleSettings(),
)
"""Those of SimCLR-S2 (arXiv:2108.05484)."""
FORBIDDEN: tuple[tuple[str, str], ...] = (
    ("brightness", "contrast"),
    ("rotate90", "brightness"),
    ("flip", "gaussian_blur"),
    ("random_resized_crop", "gaussian_blur"),
    ("shift", "flip"),
    ("rotate90", "gaussian_blur"),
    ("flip", "gain"),
    ("brightness", "gain"),
    ("gaussian_blur", "brightness"),
)
"""The quarter of SimCLR-S2's pairs after which a fine-tuning scored least."""


class Pair(NamedTuple):
    """Which two of several drawn transforms each image goes through."""

    places: Tensor
    """[B, 2], int64: positions among `steps`, in the order of the work; -1 where nothing comes."""
    steps: tuple[Any, ...]
    """What was drawn for each of the transforms, for all views."""

    def apply(self, images: Tensor) -> Tensor:
        """Takes the images that go through one transform together."""
        for place in self.places.unbind(dim=1):
            for number, step in enumerate(self.steps):
                which = (place == number).nonzero()[:, 0]
                if len(which):
                    there = which.to(images.device, non_blocking=True)
                    changed = _followed(images.index_select(0, there), of_views(step, which))
                    images = images.index_copy(0, there, changed)
        return images


def _followed(images: Tensor, step: Any) -> Tensor:
    changed: Tensor = (
        seen_through(images, [step]) if isinstance(step, Window | Flip) else step.apply(images)
    )
    return changed


class PairSettings(Transform):
    """Draw two of several transforms for each view, and do one after the other.

    By default the nine of SimCLR-S2 for satellite images, but for its nine worst pairs.
    """

    kind: Literal["pair"] = "pair"
    probability: Probability = 1.0  # SimCLR-S2: every view
    among: tuple[SingleTransform, ...] = NINE
    """The transforms, each kind once; each with the probability that it happens when drawn."""
    forbidden: tuple[tuple[str, str], ...] = FORBIDDEN
    """Kinds that are never drawn together; all other pairs are equally likely."""

    @model_validator(mode="after")
    def _leaves_a_pair(self) -> Self:
        kinds = [transform.kind for transform in self.among]
        twice = sorted({kind for kind in kinds if kinds.count(kind) > 1})
        if twice:
            raise ValueError(f"among: {', '.join(twice)} twice; `forbidden` could not tell them")
        named = {kind for pair in self.forbidden for kind in pair}
        strange = sorted(named - set(kinds))
        if strange and self.forbidden != FORBIDDEN:
            known = ", ".join(kinds)
            raise ValueError(f"forbidden: {', '.join(strange)} not among the transforms ({known})")
        if not self.allowed():
            raise ValueError("leaves no pair; forbid fewer, or give more transforms")
        return self

    def allowed(self) -> list[tuple[int, int]]:
        """The pairs that may be drawn, as positions in `among`."""
        forbidden = {frozenset(pair) for pair in self.forbidden}
        return [
            (one, other)
            for one, other in combinations(range(len(self.among)), 2)
            if frozenset((self.among[one].kind, self.among[other].kind)) not in forbidden
        ]

    def reads_statistics(self) -> bool:
        """Whether one of the transforms does."""
        return any(transform.reads_statistics() for transform in self.among)

    def objection(self, channels: int) -> str | None:
        """What the transforms have against such images."""
        told = [
            f"{transform.kind} {objection}"
            for transform in self.among
            if (objection := transform.objection(channels)) is not None
        ]
        return f"draws among others: {'; '.join(told)}" if told else None

    def draw(self, dice: Dice, frame: Frame) -> Pair:
        """A pair and an order for each view, and what each transform would do to it."""
        applied, which, order = dice.roll("applied", "pair", "order")
        pairs = torch.tensor(self.allowed())
        places = pairs[whole_numbers(which, len(pairs))]
        places = torch.where(order[:, None] < 0.5, places, places.flip(1))
        places = places.masked_fill((applied >= self.probability)[:, None], -1)
        inside = frame._replace(target=frame.source)  # whatever comes, sizes stay
        return Pair(places, tuple(_drawn(self.among, dice, inside)))


def _drawn(among: Sequence[SingleTransform], dice: Dice, frame: Frame) -> list[Any]:
    return [transform.draw(dice.inside(transform.kind), frame) for transform in among]
