"""What every transform shares: settings that draw parameters, and parameters that change images.

Drawing and applying are two steps. The parameters of a view depend on (seed, view, image) alone;
applying them is arithmetic on a whole batch, on whatever device the images are.
"""

from collections.abc import Callable
from typing import Annotated, Any, ClassVar, NamedTuple, Protocol

import torch
from pydantic import AfterValidator, Field
from torch import Tensor

from understudy.core.settings import Settings
from understudy.data.counter import derived, uniforms

Probability = Annotated[
    float, Field(ge=0, le=1, description="Share of the views that it happens to.")
]

Level = Annotated[float, Field(ge=0, le=1)]
"""A value of pixels, all of which lie in [0, 1]."""


def _increasing(span: tuple[float, float]) -> tuple[float, float]:
    if span[0] > span[1]:
        raise ValueError(f"is a range (lowest, highest); write [{span[1]}, {span[0]}]")
    return span


Increasing = AfterValidator(_increasing)
"""Makes a pair a range: lowest first."""


class Size(NamedTuple):
    """Height and width of images, in pixels."""

    height: int
    width: int


class Statistics(NamedTuple):
    """Mean and standard deviation of each channel of the images to learn from, in [0, 1]."""

    mean: tuple[float, ...]
    std: tuple[float, ...]


class Frame(NamedTuple):
    """What a transform meets and what it must leave: what holds for the whole batch."""

    source: Size
    """Of the images that it gets."""
    target: Size
    """Of the finished view."""
    statistics: Statistics | None = None
    """Where a transform needs them."""

    def known(self) -> Statistics:
        """The statistics, for a transform that needs them.

        Raises:
            ValueError: Nobody gave them.
        """
        if self.statistics is None:
            raise ValueError("this transform counts in deviations of the images; give `statistics`")
        return self.statistics


class Dice:
    """The random numbers of one transform, for each view of a batch.

    Args:
        words: [B], int64, on the CPU: `counter.states` of the views.
        scope: Sets this transform's numbers apart from those of others.
    """

    def __init__(self, *, words: Tensor, scope: str) -> None:
        self._words, self._scope = words, scope

    def inside(self, name: str) -> "Dice":
        """The numbers of a transform inside this one."""
        return Dice(words=self._words, scope=f"{self._scope} {name}")

    def words(self, name: str) -> Tensor:
        """[B] words of their own, int64, for `counter.noise`."""
        return derived(self._words, f"{self._scope} {name}")

    def roll(self, *names: str) -> Tensor:
        """[names, B] numbers, float32 in [0, 1)."""
        return uniforms(self._words, [f"{self._scope} {name}" for name in names])


class Applied(Protocol):
    """Drawn parameters of a transform that changes images itself, in place of two matrices."""

    def apply(self, images: Tensor) -> Tensor:
        """Changes a batch.

        Args:
            images: [B, C, H, W], float in [0, 1]; may be overwritten.

        Returns:
            [B, C, H, W] in [0, 1].
        """
        ...


class Transform(Settings):
    """Settings of one random change of images."""

    probability: Probability
    """Share of the views that are changed."""

    needs_statistics: ClassVar[bool] = False
    """Whether it counts in deviations of the images."""

    def reads_statistics(self) -> bool:
        """Whether views made this way follow from the statistics, too."""
        return self.needs_statistics

    def objection(self, channels: int) -> str | None:
        """Why images of so many channels cannot be changed this way and what to do, or None."""
        del channels
        return None


def altered(
    images: Tensor, chosen: Tensor, change: Callable[..., Tensor], *strengths: Tensor
) -> Tensor:
    """Changes some images of a batch in place, so that the others cost nothing.

    Args:
        images: [B, C, H, W]; overwritten.
        chosen: [B], bool, on the CPU: choosing there spares a wait for the device.
        change: Takes the chosen images [b, C, H, W] and their strengths, each [b, 1, 1, 1].
        strengths: Each [B], on the CPU.

    Returns:
        `images`.
    """
    places = chosen.nonzero()[:, 0]
    if len(places) == 0:
        return images
    chosen_strengths = (
        strength[places].to(images.device, non_blocking=True).view(-1, 1, 1, 1)
        for strength in strengths
    )
    places = places.to(images.device, non_blocking=True)
    changed = change(images.index_select(0, places), *chosen_strengths)
    return images.index_copy_(0, places, changed)


def of_views(drawn: Any, which: Tensor | slice) -> Any:
    """The parameters of some of the views: every tensor in the named tuples is cut."""
    if isinstance(drawn, Tensor):
        return drawn[which]
    if isinstance(drawn, tuple):
        parts = [of_views(value, which) for value in drawn]
        return drawn.__class__(*parts) if hasattr(drawn, "_fields") else tuple(parts)
    return drawn


def spread(numbers: Tensor, span: tuple[float, float]) -> Tensor:
    """Numbers in [0, 1) moved to a range; two plain roundings, so equal in every batch."""
    return numbers.mul(span[1] - span[0]).add_(span[0])


def whole_numbers(numbers: Tensor, count: Tensor | int) -> Tensor:
    """Numbers in [0, 1) to whole numbers 0 .. count - 1, int64; below 2^24 without visible bias."""
    return (numbers.to(torch.float64) * count).to(torch.int64)
