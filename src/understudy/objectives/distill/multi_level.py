"""Multi-level logit distillation, MLKD (Jin et al., CVPR 2023, pp. 24276-24285)."""

from typing import Annotated, ClassVar, Literal, NamedTuple

import torch
from pydantic import Field, NonNegativeFloat, PositiveFloat
from torch import Tensor

from understudy.core.types import Shape, Tap, Targets, Terms
from understudy.objectives.distill.soft_label import soft_label_divergence
from understudy.objectives.objective import Objective, ObjectiveSettings, Views
from understudy.objectives.reading import mean, paired_logits
from understudy.objectives.together import gathered


class Levels(NamedTuple):
    """What the student is apart from the teacher, at each level."""

    instance: Tensor
    batch: Tensor
    classes: Tensor


def level_distances(student: Tensor, teacher: Tensor, temperature: float) -> Levels:
    """Compares softened probabilities image by image, as relations of images, and of classes.

    Args:
        student: Logits, [B, K], of the whole batch.
        teacher: Logits, [B, K].
        temperature: Divides both; above zero.

    Returns:
        Three scalars. For an instance, `soft_label_divergence`, with its temperature². For the
        batch, the squared distance between the products of any two images' probabilities,
        averaged over the pairs: the paper's is B times it. For the classes, the squared distance
        between the products of any two classes' probabilities, each averaged over the batch,
        summed over one class and averaged over the other: the paper's is B² times it.
    """
    learnt, taught = (logits.div(temperature).softmax(dim=1) for logits in (student, teacher))
    # Autocast would compute the products in half precision, whatever their inputs are.
    with torch.autocast(student.device.type, enabled=False):
        images = learnt @ learnt.T - taught @ taught.T
        classes = (learnt.T @ learnt - taught.T @ taught) / len(student)
    return Levels(
        instance=soft_label_divergence(student, teacher, temperature),
        batch=images.square().mean(),
        classes=classes.square().sum(dim=1).mean(),
    )


class MultiLevel(Objective):
    """Learns the teacher's probabilities, and how they relate images and classes to each other.

    Departs from the authors' code (as that of arXiv:2403.01427 carries it on): every view is
    compared at every temperature and level (there, a weak view stands for the strong one at two
    of five temperatures, and the relations within strong views are computed and left out); no
    mask (theirs is applied after the mean, and so comes to a factor of a half); means over views
    and temperatures, not sums; and no value changes with the size of the batch.
    """

    taps: ClassVar = frozenset({Tap.LOGITS})
    guidance_taps: ClassVar = frozenset({Tap.LOGITS})

    def __init__(
        self, *, temperatures: tuple[float, ...], batch_factor: float, class_factor: float
    ) -> None:
        super().__init__()
        self.temperatures = temperatures
        self.batch_factor, self.class_factor = batch_factor, class_factor

    def forward(self, student: Views, guidance: Views | None, targets: Targets) -> Terms:  # noqa: ARG002
        """Each level with its factor, averaged over views and temperatures."""
        pairs = [
            (gathered(learner), gathered(teacher))
            for learner, teacher in paired_logits(student, guidance)
        ]
        found = [
            level_distances(*logits, temperature)
            for logits in pairs
            for temperature in self.temperatures
        ]
        return {
            "instance": mean(levels.instance for levels in found),
            "batch": self.batch_factor * mean(levels.batch for levels in found),
            "classes": self.class_factor * mean(levels.classes for levels in found),
        }


class MultiLevelSettings(ObjectiveSettings):
    """Soft labels at several temperatures, with the relations of images and of classes.

    weight: the authors add up five temperatures, each 0.9 beside 0.1 of `label`: 4.5 here. Their
    tables also train twice as long, on a weak and a strong view.
    """

    kind: Literal["multi_level"] = "multi_level"
    temperatures: Annotated[tuple[PositiveFloat, ...], Field(min_length=1)] = (
        2.0,
        3.0,
        4.0,
        5.0,
        6.0,
    )  # the authors' code
    """Soften the probabilities of both; the mean over them is taken."""
    batch_factor: NonNegativeFloat = 64.0  # the paper's sum, at its batch of 64
    """Factor of the relations between images."""
    class_factor: NonNegativeFloat = 4096.0  # 64²: the paper's sums, at its batch of 64
    """Factor of the relations between classes."""

    def build(self, student: Shape, guidance: Shape | None, images: Tensor) -> MultiLevel:  # noqa: ARG002
        """Needs classifiers of the same classes in student and teacher."""
        return MultiLevel(
            temperatures=self.temperatures,
            batch_factor=self.batch_factor,
            class_factor=self.class_factor,
        )
