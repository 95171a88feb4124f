"""Cross-entropy with the labels, with label smoothing (Szegedy et al. 2016, arXiv:1512.00567)."""

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar, Literal, Self

import torch
import torch.nn.functional as F
from pydantic import Field, PositiveFloat
from torch import Tensor

from understudy.core.errors import UsageError
from understudy.core.settings import Added
from understudy.core.types import Shape, Tap, Targets, Terms
from understudy.objectives.labelled import Labels, labelled_mean, with_shares
from understudy.objectives.objective import (
    Classes,
    Objective,
    ObjectiveSettings,
    Portion,
    Views,
)
from understudy.objectives.reading import given, mean, precise


def label_cross_entropy(
    logits: Tensor, labels: Labels, smoothing: float, class_weights: Tensor | None = None
) -> Tensor:
    """Cross-entropy, averaged over what is labelled.

    Args:
        logits: [B, K].
        labels: Class indices, -1 where there is none, and the share of each image that they speak
            for.
        smoothing: Share of each target that is spread evenly over all K classes, as in PyTorch.
        class_weights: [K], how much an image of each class counts; None: all alike. The mean is
            divided by the sum of the weights, as PyTorch's is, and Keras's is not.

    Returns:
        As `labelled_mean`.
    """
    if class_weights is not None:
        labels = [(own, share * class_weights[own.clamp(min=0)]) for own, share in labels]

    def losses(indices: Tensor) -> Tensor:
        return F.cross_entropy(logits, indices, reduction="none", label_smoothing=smoothing)

    return labelled_mean(losses, labels)


class Label(Objective):
    """Learns the labels of the images that have one; the others count neither way."""

    taps: ClassVar = frozenset({Tap.LOGITS})
    reads_labels: ClassVar = True

    class_weights: Tensor | None

    def __init__(self, *, smoothing: float, class_weights: Tensor | None, unsettled: bool) -> None:
        super().__init__()
        self.smoothing, self.unsettled = smoothing, unsettled
        # Not saved, since it follows from the settings and the labels.
        self.register_buffer("class_weights", class_weights, persistent=False)

    def objection(self, portion: Portion) -> str | None:  # noqa: ARG002
        """Weights that follow from labels which nobody told it."""
        told = "`class_weights` follow from the labels, which this stage does not tell its terms."
        return f"{told} Take them out." if self.unsettled else None

    def forward(self, student: Views, guidance: Views | None, targets: Targets) -> Terms:  # noqa: ARG002
        """The cross-entropy, averaged over the views."""
        labels = with_shares(targets)
        losses = [
            label_cross_entropy(
                precise(given(view.logits)), labels, self.smoothing, self.class_weights
            )
            for view in student
        ]
        return {"cross_entropy": mean(losses)}


class LabelSettings(ObjectiveSettings):
    """Cross-entropy with the labels."""

    kind: Literal["label"] = "label"
    smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Share of each target that is spread evenly over all classes."""

    class_weights: Annotated[Literal["balanced"] | dict[str, PositiveFloat] | None, Added()] = None
    """How much an image of each class counts: `balanced`, by the inverse of how many images of it
    have a label, so that each class counts alike; or a number for each class by its name. By
    default every image counts alike."""

    def among(self, classes: Classes) -> Self:
        """With a number for each class, in their order.

        Raises:
            UsageError: Classes are missing or unknown, or one has no image to be balanced by.
        """
        if self.class_weights is None:
            return self
        weights = (
            _balanced(classes)
            if self.class_weights == "balanced"
            else _of_each(self.class_weights, classes)
        )
        return self.model_copy(update={"class_weights": weights})

    def build(self, student: Shape, guidance: Shape | None, images: Tensor) -> Label:  # noqa: ARG002
        """Needs a student with a classifier."""
        weights = self.class_weights if isinstance(self.class_weights, dict) else {}
        is_settled = not self.class_weights or len(weights) == student.num_classes
        return Label(
            smoothing=self.smoothing,
            class_weights=torch.tensor(list(weights.values())) if weights and is_settled else None,
            unsettled=not is_settled,
        )


def weights_in(terms: Sequence[ObjectiveSettings], classes: Classes) -> dict[str, dict[str, float]]:
    """For a summary: how much each class counts, where a term lets classes count unlike."""
    settled = [term.among(classes) for term in terms if isinstance(term, LabelSettings)]
    found = [term.class_weights for term in settled if isinstance(term.class_weights, dict)]
    return {"class_weights": found[0]} if found else {}


def _balanced(classes: Classes) -> dict[str, float]:
    """Images over classes x images of the class, as scikit-learn's: over all images, 1 in mean."""
    empty = [name for name, count in zip(*classes, strict=True) if not count]
    if empty:
        raise UsageError(
            f"class_weights = balanced: no image of {', '.join(empty)} has a label that may be "
            "read. Label some, or give a number for each class by its name."
        )
    total = sum(classes.counts)
    each = [total / (len(classes.names) * count) for count in classes.counts]
    return dict(zip(classes.names, each, strict=True))


def _of_each(given_weights: Mapping[str, float], classes: Classes) -> dict[str, float]:
    lacking = [name for name in classes.names if name not in given_weights]
    unknown = [name for name in given_weights if name not in classes.names]
    if lacking or unknown:
        told = [
            *([f"no number for {', '.join(lacking)}"] if lacking else []),
            *([f"{', '.join(unknown)}: no such class"] if unknown else []),
        ]
        raise UsageError(
            f"class_weights: {'; '.join(told)}. Give one number for each of the classes "
            f"{', '.join(classes.names)}, or `balanced`."
        )
    return {name: given_weights[name] for name in classes.names}
