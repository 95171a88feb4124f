"""How much an objective counts: a number, or one that moves during the training."""

from typing import Annotated, Self

from pydantic import Field, NonNegativeFloat, model_validator

from understudy.core.settings import Settings

Share = Annotated[float, Field(ge=0, le=1)]


class Ramp(Settings):
    """A weight that moves in a straight line: `{start: 0, end: 0.9, until: 0.1}` is a warm-up."""

    start: NonNegativeFloat = 0.0
    """Weight at the beginning."""
    end: NonNegativeFloat = 1.0
    """Weight at the end."""
    after: Share = 0.0
    """Share of the training after which it begins to move."""
    until: Share = 1.0
    """Share of the training at which it has arrived; equal to `after`: it jumps."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.after > self.until:
            raise ValueError(
                f"`after` ({self.after}) must not be later than `until` ({self.until})"
            )
        return self

    def times(self, factor: float) -> Self:
        """The same movement between weights that are so many times as large."""
        return self.model_copy(update={"start": factor * self.start, "end": factor * self.end})

    def __str__(self) -> str:
        return f"{self.start:g} to {self.end:g}"


Weight = NonNegativeFloat | Ramp


def weight_at(weight: float | Ramp, progress: float) -> float:
    """The weight at a share of the training, from 0 to 1."""
    if not isinstance(weight, Ramp):
        return weight
    if progress >= weight.until:
        return weight.end
    if progress <= weight.after:
        return weight.start
    share = (progress - weight.after) / (weight.until - weight.after)
    return weight.start + share * (weight.end - weight.start)
