"""The teacher's classifier, reused (SimKD; Chen et al., CVPR 2022, arXiv:2203.14001).

The student learns to make the features that the teacher's classifier reads, and nothing else; the
classifier itself is taken over as it is. What answers afterwards is the student, the neck between
both (models/neck.py), and that classifier: larger than the student alone.
"""

from collections.abc import Sequence
from math import ceil
from typing import ClassVar, Literal

import torch
from pydantic import PositiveInt
from torch import Tensor, nn

from understudy.core.errors import UsageError
from understudy.core.types import Outputs, Shape, Tap, Targets, Terms
from understudy.methods.distilled import DistillationSettings
from understudy.models.ensemble import Ensemble
from understudy.models.neck import NeckSettings
from understudy.models.network import Network, NetworkSettings
from understudy.objectives.objective import Objective, ObjectiveSettings, Views, guided
from understudy.objectives.pairing import same_size
from understudy.objectives.reading import mean, paired, pooled, precise


def feature_distance(made: Tensor, wanted: Tensor) -> Tensor:
    """The squared difference, averaged over all values and the batch, as in the authors' code.

    Args:
        made: By the neck, [B, C, H, W] or [B, C].
        wanted: The teacher's, of the same shape.
    """
    return (made - wanted).square().mean()


class ReusedMaps(Objective):
    """Makes the teacher's last stage; the larger map is averaged to the size of the smaller."""

    taps: ClassVar = frozenset({Tap.STAGES})
    guidance_taps: ClassVar = frozenset({Tap.STAGES})

    def forward(self, student: Views, guidance: Views | None, targets: Targets) -> Terms:  # noqa: ARG002
        """The distance, averaged over the views."""
        return {
            "distance": mean(feature_distance(*_maps(*view)) for view in paired(student, guidance))
        }


class ReusedPooled(Objective):
    """Makes the teacher's pooled features.

    Departs from the authors' code, which knows networks alone that average a last stage: here are
    those that do more before their classifier, as transformers and ConvNeXts.
    """

    taps: ClassVar = frozenset({Tap.POOLED})
    guidance_taps: ClassVar = frozenset({Tap.POOLED})

    def forward(self, student: Views, guidance: Views | None, targets: Targets) -> Terms:  # noqa: ARG002
        """The distance, averaged over the views."""
        return {
            "distance": mean(feature_distance(*pooled(*view)) for view in paired(student, guidance))
        }


class ReusedFeaturesSettings(ObjectiveSettings):
    """The method's own objective; it is part of no catalogue, since it needs the method's neck."""

    kind: Literal["classifier_reuse"] = "classifier_reuse"

    def build(
        self,
        student: Shape,  # noqa: ARG002
        guidance: Shape | None,
        images: Tensor,  # noqa: ARG002
    ) -> ReusedMaps | ReusedPooled:
        """Compares maps where the teacher's classifier reads their mean, as the authors do."""
        teacher = guided(guidance, self.kind, Tap.POOLED)
        return ReusedMaps() if teacher.averaged else ReusedPooled()


class ClassifierReuseSettings(DistillationSettings):
    """SimKD: the student learns the features that the teacher's classifier reads, and keeps it.

    The network grows by three convolutions and the teacher's classifier, which does not learn.
    `terms` count beside the method's own distance; by default there are none.
    """

    kind: Literal["classifier_reuse"] = "classifier_reuse"
    factor: PositiveInt = 2  # the authors'
    """The inner convolutions have the teacher's channels divided by this."""
    reads_features: ClassVar[bool] = True
    brings_classifier: ClassVar[bool] = True

    def network(
        self, plain: NetworkSettings, teacher: Network | Ensemble | None, *, size: int | None
    ) -> NetworkSettings:
        """With a neck that leads to the teacher's classifier.

        Raises:
            UsageError: The teacher has no classifier of its own.
        """
        _classifier_of(teacher)
        assert teacher is not None and size is not None, "it has a classifier, and a size"
        shape = teacher.shape
        neck = NeckSettings(
            out=shape.pooled,
            width=max(1, shape.pooled // self.factor),
            side=ceil(size / shape.stages[-1].reduction) if shape.stages else None,
            rectified=shape.averaged,
        )
        return plain.model_copy(update={"neck": neck})

    def begun(
        self, student: Network, teacher: Network | Ensemble | None, *, classes: Sequence[int] | None
    ) -> Network:
        """With the teacher's classifier, which learns no more."""
        theirs = _classifier_of(teacher)
        rows = slice(None) if classes is None else list(classes)
        own = _classifier_of(student)
        with torch.no_grad():
            own.weight.copy_(theirs.weight[rows])
            own.bias.copy_(theirs.bias[rows])
        own.requires_grad_(False)
        return student

    def own_terms(self) -> tuple[ObjectiveSettings, ...]:
        """The distance between the features."""
        return (ReusedFeaturesSettings(),)


def _classifier_of(network: Network | Ensemble | None) -> nn.Linear:
    own = network.classifier if isinstance(network, Network) and network.dense is None else None
    if isinstance(own, nn.Linear):
        return own
    raise UsageError(
        "method.kind=classifier_reuse takes over the teacher's classifier, and this one has none "
        "of its own, as ensembles and networks that were trained without labels, or a `head` of "
        "dense layers, which cannot be taken over. Let a single classifier of one layer teach, or "
        "leave `method` out."
    )


def _maps(learner: Outputs, teacher: Outputs) -> tuple[Tensor, Tensor]:
    made, wanted = same_size(learner.stages[-1], teacher.stages[-1].detach())
    return precise(made), precise(wanted)
