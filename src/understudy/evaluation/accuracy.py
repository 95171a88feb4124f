"""How often a classifier is right: overall, per class, and what it takes for what.

Written out from the confusion matrix: it is one line, torchmetrics takes longer to import than
torch, and here a ratio without a denominator is None, which JSON can hold. Scikit-learn is the
oracle.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from understudy.evaluation.labelled import Labelled, labelled


class ClassFigures(NamedTuple):
    """One class's share of the truth and of the answers; shares are 0-1."""

    name: str
    precision: float | None
    """Of the images called so, the share that is; None where none was called so."""
    recall: float | None
    """Of the images that are so, the share called so; None where the class has no image."""
    f1: float | None
    """Harmonic mean of both; None where the class has no image and none was called so."""
    images: int

    def as_json(self) -> dict[str, Any]:
        """As `summary.json` holds it."""
        return {
            "class": self.name,
            "precision": self.precision,
            "recall": self.recall,
            "f1": self.f1,
            "images": self.images,
        }


class Accuracy(NamedTuple):
    """What a classifier gets right; shares are 0-1, never NaN."""

    images: int
    top1: float
    top5: float | None
    """None with fewer than five classes; with exactly five it is 1."""
    macro_f1: float
    """Mean over the classes that occur in the labels or the answers (scikit-learn's rule)."""
    nll: float
    """Mean negative log-likelihood of the labels, in nats."""
    per_class: tuple[ClassFigures, ...]
    confusion: tuple[tuple[int, ...], ...]
    """Row: the label; column: the answer."""

    def as_json(self) -> dict[str, Any]:
        """As `summary.json` holds it."""
        return {
            **self._asdict(),
            "per_class": [figures.as_json() for figures in self.per_class],
            "confusion": [list(row) for row in self.confusion],
        }


def accuracy(logits: ArrayLike, labels: ArrayLike, *, classes: Sequence[str]) -> Accuracy:
    """Every figure of correctness.

    Args:
        logits: [N, K].
        labels: [N], each in 0 .. K-1.
        classes: K names, in the order of the logits.

    Raises:
        DataError, DivergedError, ValueError: As for `labelled`; ValueError also for other than
            K names.
    """
    answers = labelled(logits, labels)
    confusion = confusion_matrix(answers)
    per_class = tuple(_figures(confusion, names=classes))
    return Accuracy(
        images=len(answers.labels),
        top1=top_k(answers, k=1),
        top5=top_k(answers, k=5) if len(classes) >= 5 else None,
        macro_f1=float(np.mean([row.f1 for row in per_class if row.f1 is not None])),
        nll=negative_log_likelihood(answers),
        per_class=per_class,
        confusion=tuple(tuple(row) for row in confusion.tolist()),
    )


def top_k(answers: Labelled, *, k: int) -> float:
    """The share of images whose label is among the k likeliest classes; the first of equals."""
    likeliest = np.argsort(-answers.logits, axis=1, kind="stable")[:, :k]
    return float((likeliest == answers.labels[:, None]).any(axis=1).mean())


def negative_log_likelihood(answers: Labelled) -> float:
    """The mean surprise at the labels, in nats."""
    own = np.take_along_axis(answers.log_probabilities, answers.labels[:, None], axis=1)
    return float(-own.mean())


def confusion_matrix(answers: Labelled) -> NDArray[np.int64]:
    """Counts [K, K]: row the label, column the answer."""
    classes = answers.logits.shape[1]
    cells = np.bincount(answers.labels * classes + answers.predicted, minlength=classes**2)
    return cells.reshape(classes, classes)


def _figures(confusion: NDArray[np.int64], *, names: Sequence[str]) -> list[ClassFigures]:
    right, truth, called = confusion.diagonal(), confusion.sum(axis=1), confusion.sum(axis=0)
    return [
        ClassFigures(
            name=name,
            precision=_share(right[place], called[place]),
            recall=_share(right[place], truth[place]),
            f1=_share(2 * right[place], truth[place] + called[place]),
            images=int(truth[place]),
        )
        for place, name in zip(range(len(confusion)), names, strict=True)
    ]


def _share(part: int, whole: int) -> float | None:
    return float(part / whole) if whole else None
