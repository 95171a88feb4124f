"""How much an objective counts: a number, or one that moves during the training."""

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import (
    ConfigDict,
    Field,
    NonNegativeFloat,
    TypeAdapter,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)

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


_number = TypeAdapter(NonNegativeFloat, config=ConfigDict(allow_inf_nan=False))


def _one_of_two(value: Any, _: ValidatorFunctionWrapHandler) -> float | Ramp:
    """Decides by form, so that a mistake is told once and not for both members of the union."""
    if isinstance(value, Ramp | Mapping):
        return Ramp.model_validate(value)
    return _number.validate_python(value)


Weight = Annotated[NonNegativeFloat | Ramp, WrapValidator(_one_of_two)]


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
