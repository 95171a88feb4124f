"""What the loop asks for guidance: a batch in, the answers to its views out."""

from collections.abc import Callable

from understudy.core.types import Batch, Outputs

Guide = Callable[[Batch], tuple[Outputs, ...] | None]
"""A batch to the outputs for each of its views, or None where nobody guides."""


def unguided(batch: Batch) -> tuple[Outputs, ...] | None:  # noqa: ARG001 - a guide
    """Guides nobody."""
    return None
