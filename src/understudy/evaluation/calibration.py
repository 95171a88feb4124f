"""Whether a classifier is as often right as it says (Guo et al. 2017, arXiv:1706.04599)."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from understudy.evaluation.labelled import labelled

BINS = 15  # Guo et al., and nearly every figure published since; other counts do not compare


class ReliabilityBin(NamedTuple):
    """The images whose confidence falls between two bounds; shares are 0-1."""

    confidence: float
    """Mean probability of the predicted class."""
    accuracy: float
    """Share of them that is right."""
    share: float
    """Share of all images that is here."""


class Calibration(NamedTuple):
    """Confidence against correctness."""

    ece: float
    """Expected calibration error: mean over images of |accuracy - confidence| of their bin."""
    bins: tuple[ReliabilityBin, ...]
    """The bins that hold images, from low confidence to high."""

    def as_json(self) -> dict[str, Any]:
        """As `summary.json` holds it."""
        return {"ece": self.ece, "reliability": [kept._asdict() for kept in self.bins]}


def calibration(logits: ArrayLike, labels: ArrayLike) -> Calibration:
    """Expected calibration error over 15 bins of equal width (m-1)/15 < confidence <= m/15.

    Args:
        logits: [N, K].
        labels: [N], each in 0 .. K-1.

    Raises:
        DataError, DivergedError, ValueError: As for `labelled`.
    """
    answers = labelled(logits, labels)
    confidence = np.exp(answers.log_probabilities.max(axis=1))
    correct = answers.predicted == answers.labels
    inner_bounds = np.linspace(0, 1, BINS + 1)[1:-1]
    placed = np.digitize(confidence, inner_bounds, right=True)

    bins = tuple(
        ReliabilityBin(
            confidence=float(confidence[placed == place].mean()),
            accuracy=float(correct[placed == place].mean()),
            share=float((placed == place).mean()),
        )
        for place in np.unique(placed)
    )
    return Calibration(sum(one.share * abs(one.accuracy - one.confidence) for one in bins), bins)
