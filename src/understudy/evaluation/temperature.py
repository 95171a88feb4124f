"""One number that makes a classifier as confident as it is right (Guo et al. 2017).

arXiv:1706.04599. Logits are divided by it before the softmax, so that no answer changes and no two
answers change places.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from understudy.evaluation.accuracy import negative_log_likelihood
from understudy.evaluation.calibration import calibration
from understudy.evaluation.labelled import Labelled, labelled

LEAST, MOST = 0.05, 20.0  # far beyond what trained networks need, which is 0.5 to 5
COARSE = 33  # a step of 1.2 times, narrow enough to find the deepest valley


class Temperature(NamedTuple):
    """How much to flatten a classifier's answers, and what that is worth."""

    value: float
    """Divides the logits; 1 changes nothing."""
    labels: int
    """How many labels it was fitted on."""
    ece: float | None
    """Calibration error on these labels before; None without labels."""
    ece_calibrated: float | None
    """The same after: of the labels that it was fitted on, so it flatters."""

    def as_json(self) -> dict[str, Any]:
        """As `summary.json` holds it."""
        return self._asdict()


NONE = Temperature(value=1.0, labels=0, ece=None, ece_calibrated=None)
"""Where there are no labels to fit it on."""


def fitted(logits: ArrayLike, labels: ArrayLike) -> Temperature:
    """The temperature of the least negative log-likelihood.

    Args:
        logits: [N, K]; N may be 0.
        labels: [N], each in 0 .. K-1.

    Raises:
        DataError, DivergedError, ValueError: As for `labelled`.

    Departs from the paper, which fits on thousands of labels: the sum over the images has a
    term log(T)^2 / 2 beside it, a prior of about 1 that weighs as much as a single image. With
    five labels, all of them answered right, the likelihood alone would call for T = 0.
    """
    if not np.size(labels):
        return NONE
    answers = labelled(logits, labels)
    value = _least(answers)
    return Temperature(
        value=value,
        labels=len(answers.labels),
        ece=calibration(answers.logits, answers.labels).ece,
        ece_calibrated=calibration(answers.logits / value, answers.labels).ece,
    )


def softmax(logits: ArrayLike, *, temperature: float) -> NDArray[np.float64]:
    """Probabilities [N, K] of logits [N, K] at a temperature."""
    scaled = np.asarray(logits, dtype=np.float64) / temperature
    raised = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def _least(answers: Labelled) -> float:
    from scipy.optimize import minimize_scalar  # half a second that a plan need not wait

    count = len(answers.labels)

    def loss(log_temperature: float) -> float:
        scaled = answers._replace(logits=answers.logits / np.exp(log_temperature))
        return count * negative_log_likelihood(scaled) + log_temperature**2 / 2

    grid = np.linspace(np.log(LEAST), np.log(MOST), COARSE)
    best = int(np.argmin([loss(float(point)) for point in grid]))
    bounds = float(grid[max(0, best - 1)]), float(grid[min(COARSE - 1, best + 1)])
    return float(np.exp(minimize_scalar(loss, bounds=bounds, method="bounded").x))
