"""Contrastive representation distillation (CRD; Tian et al., ICLR 2020, arXiv:1910.10699)."""

import math
from typing import Annotated, ClassVar, Literal

import torch
import torch.nn.functional as F
from pydantic import Field, PositiveFloat, PositiveInt
from torch import Tensor, nn

from understudy.core.types import Shape, Tap, Targets, Terms
from understudy.objectives.kept import kept
from understudy.objectives.memory import Memory
from understudy.objectives.objective import Objective, ObjectiveSettings, Views, guided
from understudy.objectives.reading import mean, paired, pooled
from understudy.objectives.together import gathered


def log_mean_exponential(values: Tensor, counted: Tensor) -> Tensor:
    """The logarithm of the mean of exp(value) over what counts, of all processes.

    Args:
        values: [b, N].
        counted: [b, N], whether a value counts; one does at least.
    """
    summed = values.masked_fill(~counted, -torch.inf).logsumexp(dim=(0, 1))
    number = gathered(counted.sum().view(1)).sum().to(values.dtype)
    return gathered(summed.view(1)).logsumexp(dim=0) - number.log()


def noise_contrast(positives: Tensor, negatives: Tensor, counted: Tensor, scale: Tensor) -> Tensor:
    """Telling one true pair from N drawn ones, by the odds of a pair being true.

    The paper's h = P / (P + N/M) with P = exp(similarity / temperature) / Z (equation 18),
    written with its odds P / (N/M), in which M cancels out against the M in Z.

    Args:
        positives: Similarity / temperature of each image's true pair, [B].
        negatives: Of its drawn pairs, [B, N].
        counted: Whether a drawn pair counts, [B, N].
        scale: log of the mean of exp(similarity / temperature) over any pairs, which is log(Z/M).

    Returns:
        -log h of the true pair, and the sum of -log(1 - h) over the drawn ones, averaged over the
        batch.
    """
    shift = scale + math.log(negatives.shape[1])
    true = F.softplus(shift - positives)
    drawn = (F.softplus(negatives - shift) * counted).sum(dim=1)
    return (true + drawn).mean()


class Contrastive(Objective):
    """Knows each image of the teacher's among many others, and the teacher each of the student's.

    Both pooled features pass a linear layer of this objective. What is compared with them comes
    from a memory of each image: the true pair as it was when the image last came, and others.

    Departs from the authors' code: one draw of others serves the whole batch, so that it costs a
    matrix product and not one gather for each image; the others are any other images, theirs are
    of other classes, which takes labels; they come in turn and not by chance; an image that is
    among them itself does not count; no 1e-7 is added; several views of an image are averaged.
    Where several processes train together, each has the memory of all.
    """

    taps: ClassVar = frozenset({Tap.POOLED})
    guidance_taps: ClassVar = frozenset({Tap.POOLED})
    scales: Tensor

    def __init__(
        self,
        *,
        embed_student: nn.Linear,
        embed_teacher: nn.Linear,
        memory: Memory,
        negatives: int,
        temperature: float,
        momentum: float,
    ) -> None:
        super().__init__()
        self.embed_student, self.embed_teacher = embed_student, embed_teacher
        self.memory, self.negatives = memory, negatives
        self.temperature, self.momentum = temperature, momentum
        # The first batch decides, as in the authors' code; on the device, without asking it.
        self.register_buffer("scales", torch.zeros(2))

    def forward(self, student: Views, guidance: Views | None, targets: Targets) -> Terms:
        """The contrast in both directions, averaged over the views; then the memory moves."""
        both = [pooled(*views) for views in paired(student, guidance)]
        # A similarity is divided by 0.07: half precision would be felt.
        with torch.autocast(targets.index.device.type, enabled=False):
            learned = [F.normalize(self.embed_student(mine), dim=1) for mine, _ in both]
            taught = [F.normalize(self.embed_teacher(other), dim=1) for _, other in both]
            rows = self.memory.rows(targets.index)
            losses = [self._contrast(*views, rows) for views in zip(learned, taught, strict=True)]
            if self.training:
                self.memory.remember(rows, mean(learned), mean(taught), momentum=self.momentum)
        return {"contrast": mean(losses)}

    def _contrast(self, learned: Tensor, taught: Tensor, rows: Tensor) -> Tensor:
        drawn = kept(self.memory.window(self.negatives))
        others = drawn != rows[:, None]
        return torch.stack(
            [
                self._one_way(anchors, kept(known[rows]), kept(known[drawn]), others, way)
                for way, (anchors, known) in enumerate(
                    [(learned, self.memory.teacher), (taught, self.memory.student)]
                )
            ]
        ).sum()

    def _one_way(
        self, anchors: Tensor, own: Tensor, drawn: Tensor, others: Tensor, way: int
    ) -> Tensor:
        positives = (anchors * own).sum(dim=1) / self.temperature
        negatives = anchors @ drawn.T / self.temperature
        pairs = torch.cat([positives[:, None], negatives], dim=1).detach()
        counted = F.pad(others, (1, 0), value=True)
        first = log_mean_exponential(pairs, counted)
        scale = kept(torch.where(self.memory.step == 0, first, self.scales[way]))
        if self.training:
            self.scales[way].copy_(scale)
        return noise_contrast(positives, negatives, others, scale)


class ContrastiveSettings(ObjectiveSettings):
    """Knowing each image of the teacher's among many; keeps 1 KB for each image at width 128.

    weight: 0.8 in the usual tables (RepDistiller).
    """

    kind: Literal["contrastive"] = "contrastive"
    width: PositiveInt = 128  # the authors'
    """Of the features that are compared and remembered."""
    negatives: PositiveInt = 16384  # the authors'
    """How many other images each one is told apart from; all of them where there are fewer."""
    temperature: PositiveFloat = 0.07  # the authors'
    """Divides the similarities; the smaller, the more the nearest other images count."""
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.5  # the authors'
    """Share of an image's old features that stays when it comes again."""

    def build(self, student: Shape, guidance: Shape | None, images: Tensor) -> Contrastive:
        """Takes both widths from the shapes, and a row for each image.

        Raises:
            UsageError: There is no teacher.
        """
        teacher = guided(guidance, self.kind, Tap.POOLED)
        memory = Memory(images, width=self.width)
        return Contrastive(
            embed_student=nn.Linear(student.pooled, self.width),
            embed_teacher=nn.Linear(teacher.pooled, self.width),
            memory=memory,
            negatives=min(self.negatives, len(memory)),
            temperature=self.temperature,
            momentum=self.momentum,
        )
