"""Learning from two views of an image that should agree, through one network."""

from collections.abc import Sequence
from itertools import groupby

import torch
from torch import Tensor

from understudy.core.errors import UsageError
from understudy.core.types import Batch, Guidance, Outputs, StepOutput
from understudy.methods.method import (
    Method,
    must_be_several,
    self_supervised_objections,
    unmoved,
)
from understudy.models.network import Network
from understudy.objectives.objective import (
    Combined,
    Objective,
    ObjectiveSettings,
    Portion,
    combine,
)


class Siamese(Method):
    """Views pass together or one by one; no other network is there.

    Where an objective learns from a teacher, it is given the network's own outputs without their
    gradient, as SimSiam has it.

    Args:
        network: What learns.
        objective: Compares the views.
        fused: Whether all views pass together, so that batch norm sees them as one batch, as
            SimCLR and SwAV have it; views of different sizes, size by size. One by one, each view
            has its own statistics, as in all other methods: that is another gradient.
    """

    def __init__(self, network: Network, objective: Combined, *, fused: bool) -> None:
        super().__init__(network, objective)
        self.fused = fused

    def forward(self, batch: Batch, guidance: Guidance) -> StepOutput:  # noqa: ARG002
        """The loss of one batch.

        Args:
            batch: Two or more views of each image; labels are not read.
            guidance: None.

        Raises:
            UsageError: The batch is a single image.
        """
        must_be_several(batch)
        taps = self.objective.taps | self.objective.guidance_taps
        groups = by_size(batch.views) if self.fused else [(view,) for view in batch.views]
        views = tuple(
            view
            for group in groups
            for view in split_views(self.network(torch.cat(group), taps), len(group))
        )
        own = unmoved(views) if self.objective.guidance_taps else None
        return self.scored(views, own, batch)

    def objections(self, portion: Portion) -> list[str]:
        """Batch norm needs several images, and each image must be there once."""
        return super().objections(portion) + self_supervised_objections(portion)


def combined_alone(
    terms: Sequence[ObjectiveSettings], network: Network, *, kind: str, images: Tensor, seed: int
) -> Combined:
    """The objectives of a method in which no other network guides.

    Args:
        terms: What to compare.
        network: What learns.
        kind: Of the method, for an error.
        images: [n], int64: positions in the pack of the images that the training shows.
        seed: Of the objectives' own parameters.

    Raises:
        UsageError: They do not fit the network, or some of them need to be guided.
    """
    shape = network.shape
    objective = combine(terms, student=shape, guidance=shape, images=images, seed=seed)
    lost = [
        name
        for name, each in zip(objective.names, objective.objectives, strict=True)
        if isinstance(each, Objective) and each.guidance_taps
    ]
    if lost:
        raise UsageError(
            f"method.kind={kind} has one network, and nothing that guides it, but "
            f"{', '.join(lost)} of `method.terms` learns from a guide. Take it out, or set "
            "`method.kind=byol`, `moco` (a momentum network) or `simsiam` (the network itself)."
        )
    return objective


def by_size(views: tuple[Tensor, ...]) -> list[tuple[Tensor, ...]]:
    """Neighbouring views of one size together, in their order."""
    return [tuple(group) for _, group in groupby(views, key=lambda view: view.shape)]


def split_views(together: Outputs, views: int) -> tuple[Outputs, ...]:
    """The outputs of concatenated views, [V x B, ...], as one `Outputs` a view."""
    logits, pooled, projected = (
        (None,) * views if tensor is None else tensor.chunk(views)
        for tensor in (together.logits, together.pooled, together.projected)
    )
    stages = [stage.chunk(views) for stage in together.stages]
    return tuple(
        Outputs(
            logits=logits[view],
            pooled=pooled[view],
            projected=projected[view],
            stages=tuple(stage[view] for stage in stages),
        )
        for view in range(views)
    )
