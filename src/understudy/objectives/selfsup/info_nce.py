"""InfoNCE against a queue of keys, the loss of MoCo (He et al., CVPR 2020, arXiv:1911.05722)."""

from itertools import permutations
from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from pydantic import PositiveFloat, PositiveInt
from torch import Tensor

from understudy.core.types import Shape, Tap, Targets, Terms
from understudy.objectives.kept import kept
from understudy.objectives.objective import Objective, ObjectiveSettings, Portion, Views, guided
from understudy.objectives.queue import Queue
from understudy.objectives.reading import given, mean, paired, precise


def info_nce(queries: Tensor, keys: Tensor, others: Tensor, temperature: float) -> Tensor:
    """Cross-entropy of finding an image's own key among its key and the others.

    Args:
        queries: [B, P], of length 1.
        keys: Of the same images, [B, P], of length 1.
        others: Of other images, [K, P], of length 1.
        temperature: Divides the cosine similarities; above zero.

    Returns:
        The mean over the batch; log(K + 1) where nothing is told apart.
    """
    own = (queries * keys).sum(dim=1, keepdim=True)
    similarities = torch.cat([own, queries @ others.T], dim=1) / temperature
    first = torch.zeros(len(queries), dtype=torch.int64, device=queries.device)
    return F.cross_entropy(similarities, first)


class InfoNce(Objective):
    """Tells each view's query which key is of the same image, among the keys of earlier batches.

    All directions are compared with the queue as it was before the step; then the keys of all
    views enter it. (A key that entered between two directions would be called wrong where it is
    of the very same image.)

    Departs from MoCo v2, which asks one direction alone: all are asked, as in the authors' code
    for CIFAR with `symmetric`, and averaged; theirs adds them up, which is twice as much.
    """

    taps: ClassVar = frozenset({Tap.PROJECTED})
    guidance_taps: ClassVar = frozenset({Tap.PROJECTED})
    views = 2

    def __init__(self, *, queue: Queue, temperature: float) -> None:
        super().__init__()
        self.queue, self.temperature = queue, temperature

    def objection(self, portion: Portion) -> str | None:
        """The keys of all views of a step enter the queue."""
        return self.queue.objection(portion.batch * portion.views, portion.images)

    def forward(self, student: Views, guidance: Views | None, targets: Targets) -> Terms:
        """The contrast of each pair of different views, averaged; then the queue moves."""
        both = paired(student, guidance)
        # Autocast would compute the products in half precision, whatever the inputs are.
        with torch.autocast(targets.index.device.type, enabled=False):
            queries = [F.normalize(precise(given(mine.projected)), dim=1) for mine, _ in both]
            keys = [F.normalize(precise(given(key.projected).detach()), dim=1) for _, key in both]
            others = kept(self.queue.features)
            losses = [
                info_nce(queries[mine], keys[other], others, self.temperature)
                for mine, other in permutations(range(len(both)), 2)
            ]
            if self.training:
                self.queue.enqueue(torch.cat(keys))
        return {"contrast": mean(losses)}


class InfoNceSettings(ObjectiveSettings):
    """The contrastive loss of MoCo: any batch size, since most other images wait in a queue."""

    kind: Literal["info_nce"] = "info_nce"
    temperature: PositiveFloat = 0.1  # the authors' for CIFAR-10; 0.2 in MoCo v2 for ImageNet
    """Divides the similarities; the smaller, the more the nearest other images count."""
    queue: PositiveInt = 4096  # the authors' for CIFAR-10, where more gained nothing; v2: 65536
    """How many keys of earlier batches wait; at least those of one step, and at most one for each
    image."""

    def build(self, student: Shape, guidance: Shape | None, images: Tensor) -> InfoNce:  # noqa: ARG002
        """Takes the width from the shapes.

        Raises:
            UsageError: There is no target with a projector.
        """
        width = guided(guidance, self.kind, Tap.PROJECTED).projected
        assert width is not None, "`guided` refuses a target without"
        return InfoNce(queue=Queue(length=self.queue, width=width), temperature=self.temperature)
