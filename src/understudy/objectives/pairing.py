"""Which stages of student and teacher an objective compares, and maps of equal size from them."""

from typing import Annotated, Literal, NamedTuple

import torch.nn.functional as F
from pydantic import Field
from torch import Tensor

from understudy.core.errors import UsageError
from understudy.core.types import Outputs, Shape, Stage

Pairing = (
    Literal["all", "middle", "last"] | Annotated[tuple[tuple[str, str], ...], Field(min_length=1)]
)
"""By the rule of `stage_pairs`, or names: each a stage of the student and one of the teacher."""


class StagePair(NamedTuple):
    """A stage of the student and one of the teacher that are compared."""

    student: Stage
    teacher: Stage
    at: tuple[int, int]
    """Their positions in `Outputs.stages`."""

    def maps(self, learner: Outputs, teacher: Outputs) -> tuple[Tensor, Tensor]:
        """[B, C, H, W] of both, each in its own size; the teacher's without a gradient."""
        mine, other = self.at
        return learner.stages[mine], teacher.stages[other].detach()


def stage_pairs(
    pairing: Pairing, *, student: Shape, teacher: Shape, kind: str
) -> tuple[StagePair, ...]:
    """The pairs that an objective compares, shallow first.

    The rule: stages are paired from the deepest on, as many as both networks have, so that the
    features before both classifiers meet, and the shallowest stages of the longer network stay
    out. "middle" is the shallower one of the middle pairs, "last" the deepest.

    Args:
        pairing: Which of these, or names, each a stage of the student and one of the teacher.
        student: The student's stages.
        teacher: The teacher's stages.
        kind: Of the objective, for the message.

    Returns:
        One or more; none where a network has no stages, which `combine` refuses.

    Raises:
        UsageError: A network has no stage of a name.
    """
    if not isinstance(pairing, str):
        return _named(pairing, student=student, teacher=teacher, kind=kind)

    both = min(len(student.stages), len(teacher.stages))
    pairs = [
        _pair(
            student, len(student.stages) - both + depth, teacher, len(teacher.stages) - both + depth
        )
        for depth in range(both)
    ]
    middle = (both - 1) // 2
    chosen = {"all": slice(None), "middle": slice(middle, middle + 1), "last": slice(-1, None)}
    return tuple(pairs[chosen[pairing]])


def same_size(first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
    """Two maps [B, C, H, W] at the smaller height and width of both: the larger is averaged."""
    height = min(first.shape[2], second.shape[2])
    width = min(first.shape[3], second.shape[3])
    return _averaged(first, height, width), _averaged(second, height, width)


def _averaged(maps: Tensor, height: int, width: int) -> Tensor:
    if maps.shape[2:] == (height, width):
        return maps
    return F.adaptive_avg_pool2d(maps, (height, width))


def _named(
    names: tuple[tuple[str, str], ...], *, student: Shape, teacher: Shape, kind: str
) -> tuple[StagePair, ...]:
    if not student.stages or not teacher.stages:
        return ()
    mine = [stage.name for stage in student.stages]
    other = [stage.name for stage in teacher.stages]
    wrong = [
        *(f"{name!r} of the student" for name, _ in names if name not in mine),
        *(f"{name!r} of the teacher" for _, name in names if name not in other),
    ]
    if wrong:
        raise UsageError(
            f"Objective {kind!r}: `stages` names {', '.join(wrong)}. The student has "
            f"{', '.join(mine)}; the teacher has {', '.join(other)}."
        )
    return tuple(_pair(student, mine.index(a), teacher, other.index(b)) for a, b in names)


def _pair(student: Shape, mine: int, teacher: Shape, other: int) -> StagePair:
    return StagePair(student.stages[mine], teacher.stages[other], (mine, other))
