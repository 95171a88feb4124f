"""How objectives read the outputs that they are given."""

from collections.abc import Iterable

import torch
from torch import Tensor

from understudy.core.types import Outputs, Shape, Tap
from understudy.objectives.together import gathered


def given(values: Tensor | None) -> Tensor:
    """The values of a tap that was declared, and so is there."""
    assert values is not None, "the outputs lack a tap that the objective declares"
    return values


FEATURES = {"pooled": Tap.POOLED, "projected": Tap.PROJECTED}
"""Where features of an image may be read, by the words of settings."""


def width_at(shape: Shape, tap: Tap) -> int:
    """How many features a network of this shape gives there; 0 where it has none."""
    return (shape.projected or 0) if tap is Tap.PROJECTED else shape.pooled


def features_at(outputs: Outputs, tap: Tap) -> Tensor:
    """The features [b, D] that a network gave there."""
    return given(outputs.projected if tap is Tap.PROJECTED else outputs.pooled)


def paired(
    student: tuple[Outputs, ...], guidance: tuple[Outputs, ...] | None
) -> list[tuple[Outputs, Outputs]]:
    """Student and teacher on each view."""
    assert guidance is not None, "`combine` refuses this objective where there is no teacher"
    return list(zip(student, guidance, strict=True))


def paired_logits(
    student: tuple[Outputs, ...], guidance: tuple[Outputs, ...] | None
) -> list[tuple[Tensor, Tensor]]:
    """Student's and teacher's logits on each view, precise; the teacher's take no gradient."""
    return [
        (precise(given(learner.logits)), precise(given(teacher.logits).detach()))
        for learner, teacher in paired(student, guidance)
    ]


def precise(values: Tensor) -> Tensor:
    """The values in float32 at least: softmax and cosine lose too much in half precision."""
    return values.to(torch.promote_types(values.dtype, torch.float32))


def mean(values: Iterable[Tensor]) -> Tensor:
    """The mean over views."""
    return torch.stack(list(values)).mean(dim=0)


def total(values: Iterable[Tensor]) -> Tensor:
    """The sum over stages."""
    return torch.stack(list(values)).sum(dim=0)


def pooled(student: Outputs, teacher: Outputs) -> tuple[Tensor, Tensor]:
    """The pooled features of both, [b, D] and [b, D'], the teacher's without a gradient."""
    return precise(given(student.pooled)), precise(given(teacher.pooled).detach())


def pooled_of_all(student: Outputs, teacher: Outputs) -> tuple[Tensor, Tensor]:
    """As `pooled`, for the images of all processes: [B, D] and [B, D']."""
    mine, other = pooled(student, teacher)
    return gathered(mine), gathered(other)
