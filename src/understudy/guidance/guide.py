"""What the loop asks for guidance: a batch in, the answers to its views out."""

from typing import Protocol

from understudy.core.types import Batch, Guidance


class Guide(Protocol):
    """A batch to what guides the student on each of its views."""

    name: str
    """Who answers, in words, for whoever has to be told that the answers are at fault."""

    def __call__(self, batch: Batch) -> Guidance:
        """The answers to each view; None where nobody guides."""


class Unguided:
    """Guides nobody."""

    name = "nobody"

    def __call__(self, batch: Batch) -> Guidance:  # noqa: ARG002 - a guide
        """None."""
        return None


unguided = Unguided()
