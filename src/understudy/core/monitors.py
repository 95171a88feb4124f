"""What a training may be judged by on validation images, and which way is better.

The one list of such figures: settings, tuning and reports read it, and `evaluation/watched.py` says
how each is computed.
"""

from typing import Literal, NamedTuple

MonitorName = Literal["top1", "nll", "macro_f1", "auc"]


class Monitor(NamedTuple):
    """A figure of validation."""

    title: str
    """As a column calls it."""
    rises: bool
    """Whether more is better."""
    is_share: bool
    """Whether it lies between 0 and 1, and is told in per cent."""

    def score(self, value: float) -> float:
        """The value, turned so that more is better."""
        return value if self.rises else -value

    def value(self, score: float) -> float:
        """What a score was before it was turned."""
        return self.score(score)


MONITORS: dict[str, Monitor] = {
    "top1": Monitor("accuracy", rises=True, is_share=True),
    "nll": Monitor("NLL", rises=False, is_share=False),
    "macro_f1": Monitor("macro F1", rises=True, is_share=True),
    "auc": Monitor("AUC", rises=True, is_share=True),
}
