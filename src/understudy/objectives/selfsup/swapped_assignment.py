"""Swapped assignments to prototypes, the loss of SwAV (Caron et al. 2020, arXiv:2006.09882)."""

from typing import Annotated, ClassVar, Literal

import torch
import torch.nn.functional as F
from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt
from torch import Tensor, nn

from understudy.core.errors import UsageError
from understudy.core.types import Shape, Tap, Targets, Terms
from understudy.objectives.kept import kept
from understudy.objectives.objective import Objective, ObjectiveSettings, Portion, Views
from understudy.objectives.queue import Queue
from understudy.objectives.reading import given, mean, precise
from understudy.objectives.together import gathered, own_part

Share = Annotated[float, Field(ge=0, le=1)]


def balanced_assignments(scores: Tensor, *, epsilon: float, iterations: int) -> Tensor:
    """Assigns images to prototypes so that all prototypes get equally much (Sinkhorn and Knopp).

    Computed by logarithms, so that no epsilon overflows or leaves a prototype with nothing.

    Args:
        scores: Cosines of each image with each prototype, [B, K].
        epsilon: How soft the assignments are; above zero.
        iterations: Each one brings the prototypes' shares to B / K, then the images' to 1.

    Returns:
        [B, K]: what each image gives to each prototype. Rows sum to 1; columns to B / K, the
        nearer the more iterations. 1 / K everywhere where all images have the same scores.
    """
    logarithms = scores / epsilon
    for _ in range(iterations):
        logarithms = logarithms - logarithms.logsumexp(dim=0)
        logarithms = logarithms.log_softmax(dim=1)
    return logarithms.exp()


class SwappedAssignment(Objective):
    """Predicts from each view which prototypes another view of the image is assigned to.

    The first views are assigned, and all other ones predict each of them. The prototypes belong to
    this objective. Assignments are made over the images of all processes, without a gradient; with
    a queue for each assigned view, over the features of earlier batches too, which then enter it.

    Departs from the authors' code: the gradient knows that prototypes have the length 1, to which
    they are brought back before each step as theirs are; a queue fills from the first step on, and
    random directions are in it before it is full.
    """

    taps: ClassVar = frozenset({Tap.PROJECTED})

    def __init__(
        self,
        *,
        prototypes: Tensor,
        queues: list[Queue],
        global_views: int,
        temperature: float,
        epsilon: float,
        iterations: int,
        frozen: float,
        queue_after: float,
    ) -> None:
        super().__init__()
        self.prototypes = nn.Parameter(prototypes)
        self.queues, self._queues = nn.ModuleList(queues), tuple(queues)
        self.global_views, self.views = global_views, max(2, global_views)
        self.temperature, self.epsilon, self.iterations = temperature, epsilon, iterations
        self.frozen, self.queue_after = frozen, queue_after
        self._asks_queues = True

    def at(self, progress: float) -> None:
        """Lets the prototypes learn, and asks the queues, each after its share of the training.

        Both change once, and each time one more graph is compiled. Without a gradient, not with one
        of zero, the optimizer spares the prototypes: LARS, whose steps have a length of their own,
        would let decay leave nothing of them.
        """
        self.prototypes.requires_grad_(progress >= self.frozen)
        with torch.no_grad():
            self.prototypes.copy_(F.normalize(self.prototypes, dim=1))
        self._asks_queues = progress >= self.queue_after

    def objection(self, portion: Portion) -> str | None:
        """The features of one view of a step enter each queue."""
        if not self._queues:
            return None
        return self._queues[0].objection(portion.batch, portion.images)

    def assignments(self, projected: Tensor) -> Tensor:
        """As softly as the wanted ones, but not shared out equally."""
        directions = F.normalize(self.prototypes, dim=1)
        return (F.normalize(precise(projected), dim=1) @ directions.T / self.epsilon).softmax(dim=1)

    def forward(self, student: Views, guidance: Views | None, targets: Targets) -> Terms:  # noqa: ARG002
        """The cross-entropy of each pair, averaged; then the queues move."""
        # Autocast would compute the products in half precision, whatever the inputs are.
        with torch.autocast(targets.index.device.type, enabled=False):
            views = [F.normalize(precise(given(view.projected)), dim=1) for view in student]
            directions = F.normalize(self.prototypes, dim=1)
            scores = [view @ directions.T for view in views]
            losses = []
            for assigned in range(self.global_views):
                wanted = self._assignments(assigned, scores[assigned].detach(), directions.detach())
                losses += [
                    F.cross_entropy(scores[other] / self.temperature, wanted)
                    for other in range(len(views))
                    if other != assigned
                ]
            if self.training:
                for queue, view in zip(self._queues, views, strict=False):
                    queue.enqueue(view)
        return {"cross_entropy": mean(losses)}

    def _assignments(self, view: int, scores: Tensor, directions: Tensor) -> Tensor:
        """Those of this process's images, [b, K]."""
        everywhere = gathered(scores)
        images = len(everywhere)
        if self._queues and self._asks_queues:
            earlier = kept(self._queues[view].features) @ directions.T
            everywhere = torch.cat([everywhere, earlier])
        assignments = balanced_assignments(
            everywhere, epsilon=self.epsilon, iterations=self.iterations
        )
        return own_part(assignments[:images])


class SwappedAssignmentSettings(ObjectiveSettings):
    """The loss of SwAV: clusters images while they are seen, and asks one view for the other's."""

    kind: Literal["swapped_assignment"] = "swapped_assignment"
    prototypes: PositiveInt = 512  # lightly's for CIFAR-10; 3000 for ImageNet, 3 for each class
    """How many clusters there are; best several for each class that may be there."""
    temperature: PositiveFloat = 0.1  # the authors'
    """Divides the cosines with the prototypes when a view predicts."""
    epsilon: PositiveFloat = 0.05  # the authors'; 0.03 where the loss stays at log(prototypes)
    """How soft the assignments are: the smaller, the harder."""
    iterations: PositiveInt = 3  # the authors'
    """Of Sinkhorn and Knopp's algorithm, which shares the images out equally."""
    global_views: PositiveInt = 2  # the authors'
    """How many views, the first ones, are assigned; later ones, such as small crops, predict only.
    """
    frozen: Share = 0.01  # the authors': 313 steps at batch 4096, one epoch of 100
    """Share of the training in which the prototypes stand still."""
    queue: NonNegativeInt = 0  # the authors' with a batch of 256: 3840
    """How many features of earlier batches are assigned along with those of a batch, for each
    global view; for batches smaller than the number of prototypes. At least as many as a batch has
    images, and at most one for each image. 0: none."""
    queue_after: Share = 0.0  # the authors': 15 of 200 epochs, since features still move too fast
    """Share of the training after which the queue is asked."""

    def build(self, student: Shape, guidance: Shape | None, images: Tensor) -> SwappedAssignment:  # noqa: ARG002
        """Takes the width from the student.

        Raises:
            UsageError: It has no projector.
        """
        width = student.projected
        if width is None:
            raise UsageError(
                f"Objective {self.kind!r} needs a student with a projector: set `projector`, or "
                "choose an objective that needs none."
            )
        prototypes = F.normalize(torch.randn(self.prototypes, width), dim=1)
        queues = self.global_views if self.queue else 0
        return SwappedAssignment(
            prototypes=prototypes,
            queues=[Queue(length=self.queue, width=width) for _ in range(queues)],
            global_views=self.global_views,
            temperature=self.temperature,
            epsilon=self.epsilon,
            iterations=self.iterations,
            frozen=self.frozen,
            queue_after=self.queue_after,
        )
