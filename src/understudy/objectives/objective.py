"""What an objective is: a part of the loss that says what it needs and is averaged over a batch."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import ClassVar

import torch
from torch import Tensor, nn

from understudy.core.errors import UsageError
from understudy.core.settings import Settings
from understudy.core.types import Outputs, Shape, Tap, Targets, Terms
from understudy.objectives.weight import Weight

Views = tuple[Outputs, ...]
"""The outputs of one network for each view of the batch."""


class Objective(nn.Module, ABC):
    """A part of the loss. It may own parameters and buffers; they are trained and saved with it.

    It never asks the device for a value, so that a whole step stays one graph.
    """

    taps: ClassVar[frozenset[Tap]]
    """What it reads of the student."""
    guidance_taps: ClassVar[frozenset[Tap]] = frozenset()
    """What it reads of the teacher; empty: it works without one."""
    reads_labels: ClassVar[bool] = False
    """Whether it reads `Targets.labels`."""
    views: int = 1
    """The least number of views that it needs."""

    @abstractmethod
    def forward(self, student: Views, guidance: Views | None, targets: Targets) -> Terms:
        """The parts of the loss: scalars, averaged over batch and views, not weighted.

        Args:
            student: For each view, at least the taps declared.
            guidance: For each view of the student's, the same view seen by the teacher; None
                only where `guidance_taps` is empty. No gradient is sent into it.
            targets: Labels and positions of the images.
        """


class ObjectiveSettings(Settings):
    """Base of the settings of objectives."""

    kind: str
    weight: Weight = 1.0
    """Factor in the sum of all terms: a number, or `{start, end, after, until}`."""

    @abstractmethod
    def build(self, student: Shape, guidance: Shape | None) -> Objective:
        """The objective for networks of these widths.

        Own parameters draw from torch's global generator: seed it, or build within
        `models.initialise.drawn_from`.

        Raises:
            UsageError: The widths do not fit, or a teacher is needed and there is none.
        """


def given(values: Tensor | None) -> Tensor:
    """The values of a tap that was declared, and so is there."""
    assert values is not None, "the outputs lack a tap that the objective declares"
    return values


def paired(student: Views, guidance: Views | None) -> list[tuple[Outputs, Outputs]]:
    """Student and teacher on each view."""
    assert guidance is not None, "`combine` refuses this objective where there is no teacher"
    return list(zip(student, guidance, strict=True))


def precise(values: Tensor) -> Tensor:
    """The values in float32 at least: softmax and cosine lose too much in half precision."""
    return values.to(torch.promote_types(values.dtype, torch.float32))


def mean(values: Iterable[Tensor]) -> Tensor:
    """The mean over views."""
    return torch.stack(list(values)).mean(dim=0)


def guided(guidance: Shape | None, kind: str) -> Shape:
    """The teacher's widths.

    Raises:
        UsageError: There is no teacher.
    """
    if guidance is None:
        raise UsageError(
            f"Objective {kind!r} learns from a teacher, but this training has none. Take it out "
            "of the terms, or distill from a finished run with `teacher`."
        )
    return guidance
