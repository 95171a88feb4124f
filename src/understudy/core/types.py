"""The contracts that travel between layers: named tuples of tensors with stated shapes."""

from collections.abc import Callable
from enum import Enum
from typing import NamedTuple

from torch import Tensor

Terms = dict[str, Tensor]
"""Named parts of a loss, each a batch mean; summed and logged, never looked up by key."""

Predict = Callable[[Tensor], Tensor]
"""Images [B, C, H, W] in [0, 1] to logits [B, K]: a model, an ensemble, or an exported graph."""


class Tap(Enum):
    """What an objective may ask a network for, so that nothing else is computed."""

    LOGITS = "logits"
    POOLED = "pooled"
    PROJECTED = "projected"
    STAGES = "stages"


class Batch(NamedTuple):
    """One step's images, as the student sees them."""

    views: tuple[Tensor, ...]
    """Each [B, C, H, W], float in [0, 1], not normalised: every network normalises for itself.
    Height and width may differ from view to view."""
    labels: Tensor | None
    """[B], int64, or None where no label may be read."""
    index: Tensor  # type: ignore[assignment]  # the field's word, though tuples have a method so
    """[B], int64: which image of the pack."""
    view_ids: tuple[Tensor, ...]
    """For each view [B], int64: which of the image's endless views it is."""


class Outputs(NamedTuple):
    """What a network tells about one view; a tap that was not asked for is None (stages: empty)."""

    logits: Tensor | None = None
    """[B, K], before softmax."""
    pooled: Tensor | None = None
    """[B, D], after global pooling, not normalised."""
    projected: Tensor | None = None
    """[B, P], after the projection head, not normalised."""
    stages: tuple[Tensor, ...] = ()
    """[B, C, H, W] after each resolution, shallow first."""


Guidance = tuple[Outputs, ...] | None
"""What a teacher answers to each view of a batch; None where nobody guides."""


class Targets(NamedTuple):
    """What an objective may know of a batch beside the outputs."""

    labels: Tensor
    """[B], int64; -1 where there is none."""
    index: Tensor  # type: ignore[assignment]
    """[B], int64: which image of the pack."""
    mix: tuple[Tensor, Tensor] | None = None
    """Partner [B] (int64, position in the batch) and own share [B] of mixed images, or None."""


class Stage(NamedTuple):
    """One resolution of a backbone."""

    name: str
    channels: int
    reduction: int
    """Input size over this stage's size."""


class Shape(NamedTuple):
    """Declared widths of a network's taps; never found by running a zero image."""

    pooled: int
    """0 where there are none: an ensemble, and stored answers, give logits alone."""
    stages: tuple[Stage, ...]
    num_classes: int | None = None
    projected: int | None = None
    averaged: bool = False
    """Whether the pooled features are the last stage's mean over its places, and that stage comes
    out of a relu."""


class StepOutput(NamedTuple):
    """What a method tells the loop about one step."""

    loss: Tensor
    """Scalar with gradient."""
    terms: Terms
    """Detached scalars, for the log."""
    size: int
    """Number of images in the step."""
