"""How long and with what a training runs."""

import math
from typing import Annotated, NamedTuple

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt, model_validator

from understudy.core.monitors import MonitorName
from understudy.core.settings import Added, Settings
from understudy.engine.optim import AnyOptimizer, SgdSettings
from understudy.engine.schedule import ScheduleSettings


class PlanSettings(Settings):
    """Length, batch, optimizer and checks of a training."""

    epochs: PositiveFloat | None = None
    """Passes over the training images; give this or `steps`."""
    steps: PositiveInt | None = None
    """Optimizer steps; give this or `epochs`."""
    batch_size: PositiveInt = 128
    """Images in a step."""
    optimizer: AnyOptimizer = SgdSettings()
    """What turns gradients into steps."""
    schedule: ScheduleSettings = ScheduleSettings()
    layer_decay: Annotated[float, Field(gt=0, le=1), Added()] = 1.0
    """What the rate of each stage is multiplied by for every stage behind it, and once for the
    heads, which have the full rate: with 0.5 the last stage learns half as fast, the one before it
    a quarter. Stages are those of `last_stages`."""
    max_norm: PositiveFloat | None = None
    """Gradients are scaled down to this norm; none by default."""
    average: Annotated[float, Field(gt=0, lt=1)] | None = None
    """Decay of an exponential moving average of the weights, which is then what counts."""
    observations: PositiveInt = 10
    """How often the validation images are looked at, evenly over the training."""
    monitor: MonitorName = "top1"
    """What makes a checkpoint the best on validation: accuracy, NLL (the loss), the mean F1 over
    the classes, or the mean area under their ROC curves. With few labels, NLL and AUC have fewer
    ties."""
    patience: PositiveInt | None = None
    """Stops after this many observations without a better one by `monitor`; none by default. The
    best checkpoint is what counts afterwards."""
    tolerated: NonNegativeInt = 0
    """Steps with a loss or gradient that is not finite that are skipped before giving up."""

    @model_validator(mode="after")
    def _has_one_length(self) -> "PlanSettings":
        if (self.epochs is None) == (self.steps is None):
            raise ValueError("needs `epochs` or `steps`, and not both; `null` takes one back")
        return self

    def over(self, images: int) -> "Plan":
        """The plan for that many training images."""
        steps = self.steps or math.ceil((self.epochs or 0) * images / self.batch_size)
        return Plan(settings=self, steps=max(1, steps), images=images)


class Plan(NamedTuple):
    """A plan whose length in steps is known."""

    settings: PlanSettings
    steps: int
    images: int

    @property
    def log_every(self) -> int:
        """Steps between readings of the meter: about fifty in a training."""
        return max(1, self.steps // 50)

    def logs_after(self, step: int) -> bool:
        """Whether the meter is read when `step` steps are done."""
        return step % self.log_every == 0 or self.observes_after(step)

    def observes_after(self, step: int) -> bool:
        """Whether the stage looks at the network when `step` steps are done."""
        asked = self.settings.observations
        return step * asked // self.steps > (step - 1) * asked // self.steps

    def epoch(self, step: int) -> float:
        """Passes over the images after `step` steps."""
        return step * self.settings.batch_size / self.images
