"""The learning rate as a pure function of progress, so that a resume needs no memory of it."""

import math
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from understudy.core.settings import Settings

Share = Annotated[float, Field(ge=0, le=1)]


class ScheduleSettings(Settings):
    """How the learning rate moves over a training."""

    shape: Literal["cosine", "constant", "linear"] = "cosine"
    """What follows the warm-up: down to `final` along a cosine or a line, or no change."""
    warmup: Share = 0.05
    """Share of the training in which the rate rises from zero to its peak."""
    final: Share = 0.0
    """The rate at the end, as a share of its peak; of a shape that falls."""

    @model_validator(mode="after")
    def _falls_to_its_end(self) -> Self:
        if self.shape == "constant" and self.final:
            raise ValueError("`final` belongs to cosine and linear: a constant rate ends at 1")
        return self

    def factor(self, progress: float) -> float:
        """The learning rate at `progress` in [0, 1], as a share of its peak."""
        return learning_rate_factor(
            progress, shape=self.shape, warmup=self.warmup, final=self.final
        )


def learning_rate_factor(progress: float, *, shape: str, warmup: float, final: float) -> float:
    """Linear warm-up, then a cosine (Loshchilov and Hutter 2017), a line, or no change.

    Args:
        progress: Steps done over all steps, in [0, 1].
        shape: "cosine", "linear" or "constant".
        warmup: Share of the training that warms up.
        final: Factor at progress 1.

    Returns:
        The factor of the peak learning rate, in [0, 1].
    """
    if progress < warmup:
        return progress / warmup
    if shape == "constant":
        return 1.0
    after = (progress - warmup) / (1 - warmup) if warmup < 1 else 1.0
    remaining = (1 + math.cos(math.pi * after)) / 2 if shape == "cosine" else 1 - after
    return final + (1 - final) * remaining
