"""Similarities to a queue of the teacher's features (SEED, arXiv:2101.04731; CompRess, 2010.14713).

SEED is Fang et al., ICLR 2021; CompRess is Abbasi Koohpayegani et al., NeurIPS 2020.
"""

from collections.abc import Callable
from typing import ClassVar, Literal, Self

import torch
import torch.nn.functional as F
from pydantic import PositiveFloat, PositiveInt, model_validator
from torch import Tensor, nn

from understudy.core.errors import UsageError
from understudy.core.types import Shape, Tap, Targets, Terms
from understudy.objectives.kept import kept
from understudy.objectives.objective import (
    Objective,
    ObjectiveSettings,
    Portion,
    Views,
    guided,
)
from understudy.objectives.queue import Queue
from understudy.objectives.reading import (
    FEATURES,
    features_at,
    given,
    mean,
    paired,
    precise,
    width_at,
)


def similarity_divergence(
    student: Tensor, teacher: Tensor, *, temperature: float, teacher_temperature: float
) -> Tensor:
    """KL(teacher || student) between how each image is similar to the same others.

    Args:
        student: Cosines of each image to the others, [B, K].
        teacher: Likewise, [B, K].
        temperature: Divides the student's; above zero.
        teacher_temperature: Divides the teacher's; above zero.

    Returns:
        The mean over the batch, not below zero.
    """
    return F.kl_div(
        F.log_softmax(student / temperature, dim=1),
        F.log_softmax(teacher / teacher_temperature, dim=1),
        reduction="batchmean",
        log_target=True,
    )


class QueueSimilarity(Objective):
    """Finds each image as similar to a queue of earlier ones as the teacher does.

    All views are compared with the queue as it was before the step; then the features of all views
    enter it.

    Departs from SEED's code, whose cross-entropy is larger by the entropy of the teacher's
    similarities: the same gradient, and here zero where both agree. Departs from CompRess's, whose
    queue begins with features that are not of length 1.
    """

    taps: ClassVar = frozenset({Tap.POOLED})
    guidance_taps: ClassVar = frozenset({Tap.POOLED})

    def __init__(
        self,
        *,
        head: nn.Module,
        queue: Queue,
        own_queue: Queue | None,
        with_itself: bool,
        temperature: float,
        teacher_temperature: float,
    ) -> None:
        super().__init__()
        self.head, self.queue, self.own_queue = head, queue, own_queue
        self.with_itself = with_itself
        self.temperature, self.teacher_temperature = temperature, teacher_temperature

    def objection(self, portion: Portion) -> str | None:
        """The features of all views of a step enter the queue."""
        return self.queue.objection(portion.batch * portion.views, portion.images)

    def forward(self, student: Views, guidance: Views | None, targets: Targets) -> Terms:
        """The divergence, averaged over the views; then the queues move."""
        both = paired(student, guidance)
        (tap,) = self.guidance_taps
        made = [self.head(given(mine.pooled)) for mine, _ in both]
        # A similarity is divided by 0.01: half precision would be felt.
        with torch.autocast(targets.index.device.type, enabled=False):
            learned = [F.normalize(precise(mine), dim=1) for mine in made]
            taught = [
                F.normalize(precise(features_at(teacher, tap).detach()), dim=1)
                for _, teacher in both
            ]
            theirs = kept(self.queue.features)
            own = theirs if self.own_queue is None else kept(self.own_queue.features)
            losses = [
                similarity_divergence(
                    self._cosines(mine, teacher, own),
                    self._cosines(teacher, teacher, theirs),
                    temperature=self.temperature,
                    teacher_temperature=self.teacher_temperature,
                )
                for mine, teacher in zip(learned, taught, strict=True)
            ]
            if self.training:
                self.queue.enqueue(torch.cat(taught))
                if self.own_queue is not None:
                    self.own_queue.enqueue(torch.cat(learned))
        return {"divergence": mean(losses)}

    def _cosines(self, features: Tensor, teacher: Tensor, others: Tensor) -> Tensor:
        """To the teacher's feature of the image itself, where that counts, and to the others."""
        similar = features @ others.T
        if not self.with_itself:
            return similar
        return torch.cat([(features * teacher).sum(dim=1, keepdim=True), similar], dim=1)


class ProjectedQueueSimilarity(QueueSimilarity):
    """As `QueueSimilarity`, of what the teacher's projector makes of its features."""

    guidance_taps: ClassVar = frozenset({Tap.PROJECTED})


class QueueSettings(ObjectiveSettings):
    """How similar each image is to many earlier ones, in the teacher's eyes: needs no labels.

    By default as SEED, but of pooled features. CompRess with one queue: `head: linear`,
    `itself: false`, both temperatures 0.04; with two: `head: none` and `queues: 2` beside.
    """

    kind: Literal["queue"] = "queue"
    queue: PositiveInt = 4096  # MoCo's for CIFAR-10; 65,536 in SEED, 128,000 in CompRess: ImageNet
    """How many features of earlier images wait; at least those of one step, and at most one for
    each image."""
    temperature: PositiveFloat = 0.2  # SEED; CompRess 0.04
    """Divides the student's similarities."""
    teacher_temperature: PositiveFloat = 0.01  # SEED's paper; 0.0001 in its code; CompRess 0.04
    """Divides the teacher's similarities; the smaller, the more the nearest images count."""
    itself: bool = True  # SEED; not in CompRess
    """Whether the teacher's feature of the image itself is among those that it is compared with."""
    head: Literal["none", "linear", "mlp"] = "mlp"  # SEED; CompRess: linear with one queue
    """Between the student's features and what is compared: two layers as in SEED, one, or none,
    which needs equal widths where there is one queue."""
    features: Literal["pooled", "projected"] = "pooled"  # CompRess; SEED: projected
    """Which of the teacher's: the backbone's, or those behind the projector that it was pretrained
    with."""
    queues: Literal[1, 2] = 1
    """Whether both are compared with the teacher's queue, or the student with one of its own as in
    CompRess; that is of the student itself, where the authors keep a slower copy of it."""

    @model_validator(mode="after")
    def _compares_what_can_be_compared(self) -> Self:
        if self.queues == 2 and self.itself:
            raise ValueError(
                "itself: the teacher's own feature is in no queue of the student's; set "
                "`itself: false`, or `queues: 1`"
            )
        return self

    def build(self, student: Shape, guidance: Shape | None, images: Tensor) -> QueueSimilarity:  # noqa: ARG002
        """Takes both widths from the shapes.

        Raises:
            UsageError: There is no teacher or it has no such features, or no head although the
                widths differ.
        """
        tap = FEATURES[self.features]
        inputs, width = student.pooled, width_at(guided(guidance, self.kind, tap), tap)
        if self.head == "none" and self.queues == 1 and inputs != width:
            raise UsageError(
                f"Objective {self.kind!r} has `head: none`, but the student has {inputs} pooled "
                f"features and the teacher {width}. Set `head: linear` or `head: mlp`, or "
                "`queues: 2`."
            )
        heads: dict[str, Callable[[int, int], nn.Module]] = {
            "none": nn.Identity,
            "linear": nn.Linear,
            "mlp": _mlp,
        }
        kind = ProjectedQueueSimilarity if tap is Tap.PROJECTED else QueueSimilarity
        out = inputs if self.head == "none" else width

        return kind(
            head=heads[self.head](inputs, width),
            queue=Queue(length=self.queue, width=width),
            own_queue=Queue(length=self.queue, width=out) if self.queues == 2 else None,
            with_itself=self.itself,
            temperature=self.temperature,
            teacher_temperature=self.teacher_temperature,
        )


def _mlp(inputs: int, outputs: int) -> nn.Module:
    """SEED's: D, D, D', with a relu between."""
    return nn.Sequential(
        nn.Linear(inputs, inputs), nn.ReLU(inplace=True), nn.Linear(inputs, outputs)
    )
