"""A view predicts the other's projection (BYOL, arXiv:2006.07733; SimSiam, arXiv:2011.10566)."""

from itertools import permutations
from typing import ClassVar, Literal

from pydantic import PositiveInt
from torch import Tensor, nn

from understudy.core.errors import UsageError
from understudy.core.types import Shape, Tap, Targets, Terms
from understudy.objectives.distill.regression import negative_cosine
from understudy.objectives.objective import Objective, ObjectiveSettings, Views, guided
from understudy.objectives.reading import given, mean, paired


class Prediction(Objective):
    """Predicts the target's projection of each view from the student's of every other view.

    The predictor belongs to this objective, and sees each view by itself. Nothing is sent back
    into the target: without that, or without the predictor, all images come to look alike.

    Departs from BYOL's code, which adds up 2 - 2 cos of both directions: here is the mean of the
    negative cosines, as SimSiam has it. Theirs is 4 + 4 x ours, so their rate is a quarter of ours
    where the step follows the length of the gradient: everywhere with SGD, for biases and batch
    norms with LARS, nowhere with AdamW.
    """

    taps: ClassVar = frozenset({Tap.PROJECTED})
    guidance_taps: ClassVar = frozenset({Tap.PROJECTED})
    views = 2

    def __init__(self, *, predictor: nn.Module) -> None:
        super().__init__()
        self.predictor = predictor

    def forward(self, student: Views, guidance: Views | None, targets: Targets) -> Terms:  # noqa: ARG002
        """The negative cosine of each pair of different views, averaged: -1 where all agree."""
        both = paired(student, guidance)
        predicted = [self.predictor(given(learner.projected)) for learner, _ in both]
        wanted = [given(target.projected).detach() for _, target in both]
        pairs = permutations(range(len(both)), 2)
        losses = [negative_cosine(predicted[mine], wanted[other]) for mine, other in pairs]
        return {"negative_cosine": mean(losses)}


class PredictionSettings(ObjectiveSettings):
    """Predicting one view's projection from the other's, without any other image beside."""

    kind: Literal["prediction"] = "prediction"
    hidden: PositiveInt = 512  # SimSiam's; BYOL's is 4096 at ImageNet
    """Width of the predictor's inner layer."""

    def build(self, student: Shape, guidance: Shape | None, images: Tensor) -> Prediction:  # noqa: ARG002
        """Takes both widths from the shapes.

        Raises:
            UsageError: There is no target, or a side has no projector.
        """
        width = guided(guidance, self.kind, Tap.PROJECTED).projected
        if student.projected is None or width is None:
            raise UsageError(
                f"Objective {self.kind!r} needs a student with a projector: set `projector`, or "
                "choose an objective that needs none."
            )
        return Prediction(predictor=_predictor(student.projected, self.hidden, width))


def _predictor(inputs: int, hidden: int, out: int) -> nn.Module:
    """Both papers': two layers, batch norm and relu between them, nothing behind."""
    return nn.Sequential(
        nn.Linear(inputs, hidden, bias=False),
        nn.BatchNorm1d(hidden),
        nn.ReLU(inplace=True),
        nn.Linear(hidden, out),
    )
