"""The figures that a training may be judged by; `core/monitors.py` says which way is better."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from understudy.core.monitors import MonitorName
from understudy.evaluation.accuracy import Accuracy, accuracy
from understudy.evaluation.labelled import labelled
from understudy.evaluation.ranking import area_under_curve


def watched(
    logits: ArrayLike, labels: ArrayLike, *, classes: Sequence[str], monitor: MonitorName
) -> dict[str, float]:
    """Accuracy and NLL, which every training logs, and the figure that judges this one.

    Args:
        logits: [N, K].
        labels: [N], each in 0 .. K-1.
        classes: K names, in the order of the logits.
        monitor: Which figure judges.

    Returns:
        By name; that of the monitor is NaN where these images do not have it.

    Raises:
        DataError, DivergedError, ValueError: As for `accuracy`.
    """
    seen = accuracy(logits, labels, classes=classes)
    return {"top1": seen.top1, "nll": seen.nll, monitor: _figure(monitor, seen, logits, labels)}


def _figure(monitor: MonitorName, seen: Accuracy, logits: ArrayLike, labels: ArrayLike) -> float:
    if monitor == "auc":
        answers = labelled(logits, labels)
        return mean_area_under_curve(answers.log_probabilities, answers.labels)
    found: float = getattr(seen, monitor)
    return found


def mean_area_under_curve(scores: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    """The area under the ROC curve, averaged over the classes, each against all others.

    Of two classes it is the usual one, whichever is called positive. Classes without an image, or
    with all of them, are left out.

    Args:
        scores: [N, K], rising with the probability of the class.
        labels: [N].

    Returns:
        From 0 to 1; NaN where all images are of one class.
    """
    areas = [
        area
        for label in range(scores.shape[1])
        if (area := area_under_curve(scores[:, label], labels == label)) is not None
    ]
    return float(np.mean(areas)) if areas else float("nan")
