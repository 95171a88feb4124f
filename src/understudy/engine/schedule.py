"""The learning rate as a pure function of progress, so that a resume needs no memory of it."""

import math
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from understudy.core.settings import Settings

Share = Annotated[float, Field(ge=0, le=1)]


class ScheduleSettings(Settings):
    """How the learning rate moves over a training."""

    shape: Literal["cosine", "constant", "linear", "steps"] = "cosine"
    """What follows the warm-up: down to `final` along a cosine or a line, no change, or a fall at
    each of the `milestones`."""
    warmup: Share = 0.05
    """Share of the training in which the rate rises from zero to its peak."""
    final: Share = 0.0
    """The rate at the end, as a share of its peak; of cosine and linear."""
    milestones: tuple[Share, ...] = ()
    """Of steps: the shares of the training after which the rate falls, in order."""
    drop: Annotated[float, Field(gt=0, lt=1)] = 0.1
    """Of steps: what the rate is multiplied by at each milestone."""

    @model_validator(mode="after")
    def _falls_as_its_shape_does(self) -> Self:
        if self.shape in ("constant", "steps") and self.final:
            raise ValueError(
                "`final` belongs to cosine and linear: a constant rate ends at 1, and steps end "
                "where their milestones lead"
            )
        if (self.shape == "steps") != bool(self.milestones):
            raise ValueError("`milestones` and the shape `steps` belong together")
        if list(self.milestones) != sorted(set(self.milestones)):
            raise ValueError("`milestones` must be in order, each once")
        return self

    def factor(self, progress: float) -> float:
        """The learning rate at `progress` in [0, 1], as a share of its peak."""
        falling = learning_rate_factor(
            progress, shape=self.shape, warmup=self.warmup, final=self.final
        )
        return falling * self.drop ** sum(progress >= share for share in self.milestones)


def learning_rate_factor(progress: float, *, shape: str, warmup: float, final: float) -> float:
    """Linear warm-up, then a cosine (Loshchilov and Hutter 2017), a line, or no fall of its own.

    Args:
        progress: Steps done over all steps, in [0, 1].
        shape: "cosine" or "linear"; the others stay at the peak.
        warmup: Share of the training that warms up.
        final: Factor at progress 1.

    Returns:
        The factor of the peak learning rate, in [0, 1].
    """
    if progress < warmup:
        return progress / warmup
    if shape not in ("cosine", "linear"):
        return 1.0
    after = (progress - warmup) / (1 - warmup) if warmup < 1 else 1.0
    remaining = (1 + math.cos(math.pi * after)) / 2 if shape == "cosine" else 1 - after
    return final + (1 - final) * remaining
