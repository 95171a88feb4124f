"""DIST: relations instead of probabilities (Huang et al., NeurIPS 2022, arXiv:2205.10536)."""

from typing import ClassVar, Literal

from pydantic import NonNegativeFloat, PositiveFloat
from torch import Tensor

from understudy.core.types import Shape, Tap, Targets, Terms
from understudy.objectives.objective import Objective, ObjectiveSettings, Views
from understudy.objectives.reading import mean, paired_logits
from understudy.objectives.together import gathered

# Added to the squared length of what is compared. The authors' code adds 1e-8 to the product of
# both lengths: the same floor, but there the gradient of equal probabilities grows 1e8-fold.
LEAST_SQUARE = 1e-8


def correlation_distance(student: Tensor, teacher: Tensor) -> Tensor:
    """One minus Pearson's correlation of each row with the teacher's.

    Args:
        student: [N, M].
        teacher: [N, M].

    Returns:
        The mean over the rows: 0 where each is the teacher's but for a positive scale and a shift,
        1 where nothing is shared or a row is constant, 2 where all are upside down.
    """

    def unit(values: Tensor) -> Tensor:
        centred = values - values.mean(dim=1, keepdim=True)
        return centred * (centred.square().sum(dim=1, keepdim=True) + LEAST_SQUARE).rsqrt()

    return 1 - (unit(student) * unit(teacher)).sum(dim=1).mean()


def relation_distances(
    student: Tensor, teacher: Tensor, temperature: float
) -> tuple[Tensor, Tensor]:
    """How far softened probabilities are from the teacher's, as relations.

    Args:
        student: Logits, [B, K], of the whole batch.
        teacher: Logits, [B, K].
        temperature: Divides both; above zero.

    Returns:
        Between the classes of each image, averaged over the images (inter-class); and between the
        images of the batch in each class, averaged over the classes (intra-class).
    """
    learnt, taught = (logits.div(temperature).softmax(dim=1) for logits in (student, teacher))
    return correlation_distance(learnt, taught), correlation_distance(learnt.T, taught.T)


class Dist(Objective):
    """Learns which classes an image resembles more, and which images a class, not how much.

    Departs from the authors' code, and follows the paper's appendix: no factor temperature²,
    since correlations do not shrink with the temperature.
    """

    taps: ClassVar = frozenset({Tap.LOGITS})
    guidance_taps: ClassVar = frozenset({Tap.LOGITS})

    def __init__(self, *, temperature: float, beta: float, gamma: float) -> None:
        super().__init__()
        self.temperature = temperature
        self.beta, self.gamma = beta, gamma

    def forward(self, student: Views, guidance: Views | None, targets: Targets) -> Terms:  # noqa: ARG002
        """Both distances with their factors, averaged over the views."""
        distances = [
            relation_distances(gathered(learner), gathered(teacher), self.temperature)
            for learner, teacher in paired_logits(student, guidance)
        ]
        return {
            "inter_class": self.beta * mean(inter for inter, _ in distances),
            "intra_class": self.gamma * mean(intra for _, intra in distances),
        }


class DistSettings(ObjectiveSettings):
    """Correlations with the teacher's probabilities, over classes and over the batch.

    weight: the authors' code multiplies by temperature², so its 1 is 16 here at temperature 4.
    """

    kind: Literal["dist"] = "dist"
    temperature: PositiveFloat = 4.0  # of the usual CIFAR-100 tables; the authors' for ImageNet: 1
    """Softens the probabilities of both; above 1 the unlikely classes speak louder."""
    beta: NonNegativeFloat = 1.0  # this and the next: the authors' code
    """Factor of the relations between the classes of an image; of two classes, they are the order
    alone."""
    gamma: NonNegativeFloat = 1.0
    """Factor of the relations between the images in a class; they want a batch of many."""

    def build(self, student: Shape, guidance: Shape | None, images: Tensor) -> Dist:  # noqa: ARG002
        """Needs classifiers of the same classes in student and teacher."""
        return Dist(temperature=self.temperature, beta=self.beta, gamma=self.gamma)
