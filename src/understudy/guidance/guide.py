"""What the loop asks for guidance: a batch in, the answers to its views out."""

from collections.abc import Callable

from understudy.core.types import Batch, Guidance

Guide = Callable[[Batch], Guidance]
"""A batch to what guides the student on each of its views."""


def unguided(batch: Batch) -> Guidance:  # noqa: ARG001 - a guide
    """Guides nobody."""
    return None
