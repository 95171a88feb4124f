"""Regression of the teacher's features (SimReg, Navaneet et al., BMVC 2021, arXiv:2201.05131)."""

from collections.abc import Callable
from itertools import product
from typing import ClassVar, Literal, Self

import torch.nn.functional as F
from pydantic import model_validator
from torch import Tensor, nn

from understudy.core.errors import UsageError
from understudy.core.types import Shape, Tap, Targets, Terms
from understudy.objectives.distill.reduction import Reduction, ReductionSettings
from understudy.objectives.objective import Objective, ObjectiveSettings, Views, guided
from understudy.objectives.reading import (
    FEATURES,
    features_at,
    given,
    mean,
    paired,
    precise,
    width_at,
)

Meeting = Literal["same", "cross", "both"]
"""Which of the teacher's answers a view of the student meets: to itself, to others, or all."""


def negative_cosine(student: Tensor, teacher: Tensor) -> Tensor:
    """The negative cosine between features.

    Args:
        student: [B, D], of any length.
        teacher: [B, D], of any length.

    Returns:
        The mean over the batch: -1 where all point the same way.
    """
    return -F.cosine_similarity(precise(student), precise(teacher), dim=1).mean()


def meetings(views: int, which: Meeting, *, symmetric: bool) -> list[tuple[int, int]]:
    """The pairs of a view of the student and one of the teacher.

    Args:
        views: How many there are of each image.
        which: Of the teacher's.
        symmetric: Whether every view of the student's has its turn, or the first one alone.
    """
    return [
        (mine, other)
        for mine, other in product(range(views if symmetric else 1), range(views))
        if which == "both" or (mine == other) == (which == "same")
    ]


class Regression(Objective):
    """Turns the student's pooled features towards the teacher's, through a head of its own.

    Departs from the authors' code: the negative cosine, averaged over the pairs of views, so that
    it is reported in [-1, 0] once training is under way; theirs is 2 - 2 cos, with the same
    direction of gradient. The head belongs to this objective, and the student is exported without
    it.
    """

    taps: ClassVar = frozenset({Tap.POOLED})
    guidance_taps: ClassVar = frozenset({Tap.POOLED})

    def __init__(
        self, *, head: nn.Module, reduction: Reduction | None, meeting: Meeting, symmetric: bool
    ) -> None:
        super().__init__()
        self.head, self.reduction = head, reduction
        self.meeting: Meeting = meeting
        self.symmetric = symmetric
        self.views = 1 if meeting == "same" else 2

    def forward(self, student: Views, guidance: Views | None, targets: Targets) -> Terms:  # noqa: ARG002
        """The negative cosine of each pair, averaged; the head sees each view by itself.

        Where the teacher's features are reduced by what learns, also what the reduction loses.
        """
        both = paired(student, guidance)
        (tap,) = self.guidance_taps
        pairs = meetings(len(both), self.meeting, symmetric=self.symmetric)
        learned = {mine: self.head(given(both[mine][0].pooled)) for mine in dict(pairs)}
        taught = [precise(features_at(teacher, tap).detach()) for _, teacher in both]
        losses: list[Tensor] = []
        if self.reduction is not None:
            reduced = [self.reduction(features) for features in taught]
            taught = [features for features, _ in reduced]
            losses = [loss for _, loss in reduced if loss is not None]

        cosines = [negative_cosine(learned[mine], taught[other]) for mine, other in pairs]
        terms = {"negative_cosine": mean(cosines)}
        return {**terms, "reduction": mean(losses)} if losses else terms


class RegressionToProjected(Regression):
    """As `Regression`, towards what the teacher's projector makes of its features."""

    guidance_taps: ClassVar = frozenset({Tap.PROJECTED})


class RegressionSettings(ObjectiveSettings):
    """The teacher's features, by direction: needs neither labels nor classifiers."""

    kind: Literal["regression"] = "regression"
    head: Literal["none", "linear", "mlp"] = "mlp"
    """Between the student's features and the teacher's: four layers as in SimReg, one, or none,
    which needs equal widths."""
    features: Literal["pooled", "projected"] = "pooled"  # SimReg: the projector loses what helps
    """Which of the teacher's: the backbone's, or those behind the projector that it was pretrained
    with."""
    reduction: ReductionSettings | None = None
    """Takes the teacher's features to fewer first; none by default."""
    views: Meeting = "same"  # SimReg's choice: "patient and consistent" (Beyer et al. 2022) too
    """Whether student and teacher see the same view, or each view is compared with the teacher's
    answers to the others, or with all of them."""
    symmetric: bool = True
    """Whether every view is the student's in turn. Without, the first one alone is, and the others
    are the teacher's: one direction. Both networks still see all views."""

    @model_validator(mode="after")
    def _has_directions(self) -> Self:
        if self.views == "same" and not self.symmetric:
            raise ValueError(
                "symmetric: `views: same` has no direction; give the training a single entry of "
                "`views`, or take `symmetric` out"
            )
        return self

    def build(self, student: Shape, guidance: Shape | None, images: Tensor) -> Regression:  # noqa: ARG002
        """Takes all widths from the shapes.

        Raises:
            UsageError: There is no teacher or it has no such features, too few of them to reduce,
                or no head although the widths differ.
        """
        tap = FEATURES[self.features]
        inputs = student.pooled
        theirs = width_at(guided(guidance, self.kind, tap), tap)
        reduction = self.reduction.build(theirs) if self.reduction else None
        outputs = self.reduction.width if self.reduction else theirs
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
        kind = RegressionToProjected if tap is Tap.PROJECTED else Regression

        return kind(
            head=heads[self.head](inputs, outputs),
            reduction=reduction,
            meeting=self.views,
            symmetric=self.symmetric,
        )


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
