"""Regression of the teacher's features (SimReg, Navaneet et al., BMVC 2021, arXiv:2201.05131)."""

from collections.abc import Callable
from itertools import permutations
from typing import ClassVar, Literal

import torch.nn.functional as F
from torch import Tensor, nn

from understudy.core.errors import UsageError
from understudy.core.types import Shape, Tap, Targets, Terms
from understudy.objectives.objective import Objective, ObjectiveSettings, Views, guided
from understudy.objectives.reading import given, mean, paired, precise


def negative_cosine(student: Tensor, teacher: Tensor) -> Tensor:
    """The negative cosine between features.

    Args:
        student: [B, D], of any length.
        teacher: [B, D], of any length.

    Returns:
        The mean over the batch: -1 where all point the same way.
    """
    return -F.cosine_similarity(precise(student), precise(teacher), dim=1).mean()


class Regression(Objective):
    """Turns the student's pooled features towards the teacher's, through a head of its own.

    Departs from the authors' code: the negative cosine, averaged over the views, so that it is
    reported in [-1, 0] once training is under way; theirs is 2 - 2 cos, with the same direction
    of gradient. The head belongs to this objective, and the student is exported without it.
    """

    taps: ClassVar = frozenset({Tap.POOLED})
    guidance_taps: ClassVar = frozenset({Tap.POOLED})

    def __init__(self, *, head: nn.Module, crossed: bool) -> None:
        super().__init__()
        self.head = head
        self.crossed = crossed
        self.views = 2 if crossed else 1

    def forward(self, student: Views, guidance: Views | None, targets: Targets) -> Terms:  # noqa: ARG002
        """The negative cosine of each pair, averaged; the head sees each view by itself."""
        both = paired(student, guidance)
        learned = [self.head(given(learner.pooled)) for learner, _ in both]
        taught = [given(teacher.pooled).detach() for _, teacher in both]

        views = range(len(both))
        pairs = permutations(views, 2) if self.crossed else zip(views, views, strict=True)
        losses = [negative_cosine(learned[mine], taught[other]) for mine, other in pairs]
        return {"negative_cosine": mean(losses)}


class RegressionSettings(ObjectiveSettings):
    """The teacher's pooled features, by direction: needs neither labels nor classifiers."""

    kind: Literal["regression"] = "regression"
    head: Literal["none", "linear", "mlp"] = "mlp"
    """Between the student's features and the teacher's: four layers as in SimReg, one, or none,
    which needs equal widths."""
    views: Literal["same", "cross"] = "same"
    """Whether student and teacher see the same view, or each view is compared with the teacher's
    answers to the others."""

    def build(self, student: Shape, guidance: Shape | None, images: Tensor) -> Regression:  # noqa: ARG002
        """Takes both widths from the shapes.

        Raises:
            UsageError: There is no teacher, or no head although the widths differ.
        """
        inputs, outputs = student.pooled, guided(guidance, self.kind, Tap.POOLED).pooled
        if self.head == "none" and inputs != outputs:
            raise UsageError(
                f"Objective {self.kind!r} has `head: none`, but the student has {inputs} pooled "
                f"features and the teacher {outputs}. Set `head: linear` or `head: mlp`."
            )
        heads: dict[str, Callable[[int, int], nn.Module]] = {
            "none": nn.Identity,
            "linear": nn.Linear,
            "mlp": _mlp,
        }

        return Regression(head=heads[self.head](inputs, outputs), crossed=self.views == "cross")


def _mlp(inputs: int, outputs: int) -> nn.Module:
    """SimReg's: D, 2D, D, 2D, D'; batch norm and relu where it is widest."""
    wide = 2 * inputs
    return nn.Sequential(
        nn.Linear(inputs, wide),
        nn.BatchNorm1d(wide),
        nn.ReLU(inplace=True),
        nn.Linear(wide, inputs),
        nn.Linear(inputs, wide),
        nn.BatchNorm1d(wide),
        nn.ReLU(inplace=True),
        nn.Linear(wide, outputs),
    )
