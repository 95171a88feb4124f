"""NT-Xent, the contrastive loss of SimCLR (Chen et al. 2020, arXiv:2002.05709, algorithm 1)."""

from itertools import combinations
from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from pydantic import PositiveFloat
from torch import Tensor

from understudy.core.types import Shape, Tap, Targets, Terms
from understudy.objectives.objective import Objective, ObjectiveSettings, Views
from understudy.objectives.reading import given, mean, precise
from understudy.objectives.together import gathered


def nt_xent(first: Tensor, second: Tensor, temperature: float) -> Tensor:
    """Cross-entropy of finding an image's other view among all other views of the batch.

    Args:
        first: Projected features of one view, [B, P], not normalised.
        second: Of the other view of the same images, [B, P].
        temperature: Divides the cosine similarities; above zero.

    Returns:
        The mean over all 2B views; log(2B - 1) where all features are equal.
    """
    size = len(first)
    # Autocast would compute the product in half precision, whatever its inputs are.
    with torch.autocast(first.device.type, enabled=False):
        embeddings = F.normalize(torch.cat([precise(first), precise(second)]), dim=1)
        similarities = embeddings @ embeddings.T / temperature
    itself = torch.eye(2 * size, dtype=torch.bool, device=first.device)
    other = torch.arange(2 * size, device=first.device).roll(size)
    return F.cross_entropy(similarities.masked_fill(itself, -torch.inf), other)


class NtXent(Objective):
    """Brings the views of an image together and pushes those of all other images away.

    Departs from the authors' code: the mean over all views is taken, theirs adds up the means of
    the two directions, which is twice as much; the similarity of a view with itself is taken out,
    not made small. With more than two views, the mean over all pairs of views. Where several
    processes train together, the images of all of them are pushed away.
    """

    taps: ClassVar = frozenset({Tap.PROJECTED})
    views = 2

    def __init__(self, *, temperature: float) -> None:
        super().__init__()
        self.temperature = temperature

    def forward(self, student: Views, guidance: Views | None, targets: Targets) -> Terms:  # noqa: ARG002
        """The contrast of each pair of views, averaged."""
        views = [gathered(given(view.projected)) for view in student]
        losses = [
            nt_xent(first, second, self.temperature) for first, second in combinations(views, 2)
        ]
        return {"contrast": mean(losses)}


class NtXentSettings(ObjectiveSettings):
    """The contrastive loss of SimCLR: needs two views of each image and no labels."""

    kind: Literal["nt_xent"] = "nt_xent"
    temperature: PositiveFloat = 0.5  # the authors' for CIFAR-10 (README of their code)
    """Divides the similarities; the smaller, the more the nearest other images count."""

    def build(self, student: Shape, guidance: Shape | None, images: Tensor) -> NtXent:  # noqa: ARG002
        """Needs a student with a projector."""
        return NtXent(temperature=self.temperature)
