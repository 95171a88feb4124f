"""Self-distillation without labels, the loss of DINO (Caron et al. 2021, arXiv:2104.14294)."""

from typing import Annotated, ClassVar, Literal

import torch
import torch.nn.functional as F
from pydantic import AfterValidator, Field, PositiveFloat, PositiveInt
from torch import Tensor

from understudy.core.errors import UsageError
from understudy.core.types import Shape, Tap, Targets, Terms
from understudy.objectives.kept import kept
from understudy.objectives.objective import Objective, ObjectiveSettings, Views, guided
from understudy.objectives.reading import given, mean, precise
from understudy.objectives.together import gathered
from understudy.objectives.weight import Ramp, weight_at

Below1 = Annotated[float, Field(ge=0, lt=1)]


def _above_zero(temperature: float | Ramp) -> float | Ramp:
    if isinstance(temperature, Ramp) and not (temperature.start and temperature.end):
        raise ValueError("`start` and `end` of a temperature must be above zero")
    return temperature


Temperature = Annotated[PositiveFloat | Ramp, AfterValidator(_above_zero)]


class SelfDistillation(Objective):
    """Predicts from each view to which prototypes the target assigns every other one.

    Two things keep all images from the same answer, and neither does alone. The target's scores are
    centred, by a moving average of their mean over all processes' images: no prototype wins
    everywhere. They are sharpened, by a temperature below the student's: not all win equally.

    The projections are scores of prototypes, the last layer of the projector, and so part of the
    network: the target's prototypes are averages, as all its weights are. The centre is that of the
    steps before; it moves after the loss is known, as in the authors' code.
    """

    taps: ClassVar = frozenset({Tap.PROJECTED})
    guidance_taps: ClassVar = frozenset({Tap.PROJECTED})
    centre: Tensor
    teacher_temperature: Tensor

    def __init__(
        self,
        *,
        prototypes: int,
        global_views: int,
        student_temperature: float,
        teacher_temperature: float | Ramp,
        centre_momentum: float,
    ) -> None:
        super().__init__()
        self.global_views = self.guided_views = global_views
        self.views = max(2, global_views)
        self.student_temperature, self.centre_momentum = student_temperature, centre_momentum
        self._temperatures = teacher_temperature
        self.register_buffer("centre", torch.zeros(prototypes))
        first = torch.tensor(weight_at(teacher_temperature, 0.0))
        self.register_buffer("teacher_temperature", first, persistent=False)

    def at(self, progress: float) -> None:
        """Moves the teacher's temperature."""
        if isinstance(self._temperatures, Ramp):
            self.teacher_temperature.fill_(weight_at(self._temperatures, progress))

    def assignments(self, projected: Tensor) -> Tensor:
        """What would be wanted, were these the target's scores."""
        return self._wanted(precise(projected), self.centre)

    def forward(self, student: Views, guidance: Views | None, targets: Targets) -> Terms:  # noqa: ARG002
        """The cross-entropy of each pair of different views, averaged; then the centre moves."""
        assert guidance is not None, "`combine` refuses this objective where there is no teacher"
        scores = [precise(given(view.projected)) for view in student]
        taught = [precise(given(view.projected).detach()) for view in guidance[: self.global_views]]
        centre = kept(self.centre)
        wanted = [self._wanted(each, centre) for each in taught]
        losses = [
            F.cross_entropy(scores[mine] / self.student_temperature, wanted[other])
            for other in range(len(wanted))
            for mine in range(len(scores))
            if mine != other
        ]
        if self.training:
            self._centre_on(torch.cat(taught))
        return {"cross_entropy": mean(losses)}

    def _wanted(self, scores: Tensor, centre: Tensor) -> Tensor:
        return ((scores - centre) / self.teacher_temperature).softmax(dim=1)

    @torch.no_grad()
    def _centre_on(self, scores: Tensor) -> None:
        everywhere = gathered(scores.mean(dim=0, keepdim=True)).mean(dim=0)
        self.centre.lerp_(everywhere.to(self.centre.dtype), 1 - self.centre_momentum)


class SelfDistillationSettings(ObjectiveSettings):
    """The loss of DINO: the target's centred and sharpened answer to another view."""

    kind: Literal["self_distillation"] = "self_distillation"
    student_temperature: PositiveFloat = 0.1  # the authors'
    """Divides the student's scores."""
    teacher_temperature: Temperature = 0.04  # the authors'; above 0.07 is unstable
    """Divides the target's centred scores; the smaller, the sharper. A number, or `{start, end,
    after, until}` for a warm-up."""
    centre_momentum: Below1 = 0.9  # the authors'
    """Share of the centre that stays at a step."""
    global_views: PositiveInt = 2  # the authors'
    """How many views, the first ones, the target sees; later ones, such as small crops, are seen by
    the student alone."""

    def build(self, student: Shape, guidance: Shape | None, images: Tensor) -> SelfDistillation:  # noqa: ARG002
        """Takes the number of prototypes from the shapes.

        Raises:
            UsageError: There is no target, a side has no projector, or they differ in width.
        """
        width = guided(guidance, self.kind, Tap.PROJECTED).projected
        if student.projected is None or width is None:
            raise UsageError(
                f"Objective {self.kind!r} needs a student with a projector: set `projector`, or "
                "choose an objective that needs none."
            )
        if student.projected != width:
            raise UsageError(
                f"Objective {self.kind!r} compares projections, but the student has "
                f"{student.projected} and the teacher {width}. Give both the same projector."
            )
        return SelfDistillation(
            prototypes=width,
            global_views=self.global_views,
            student_temperature=self.student_temperature,
            teacher_temperature=self.teacher_temperature,
            centre_momentum=self.centre_momentum,
        )
