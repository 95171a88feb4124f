"""Answers beside the truth: what every figure of a classifier is computed from."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from understudy.core.errors import DataError, DivergedError


class Labelled(NamedTuple):
    """Logits and labels of the same images, checked once."""

    logits: NDArray[np.float64]
    """[N, K], finite; double precision, so that means over many images lose nothing."""
    labels: NDArray[np.int64]
    """[N], each in 0 .. K-1."""

    @property
    def predicted(self) -> NDArray[np.int64]:
        """[N], the likeliest class; the first of equals."""
        return np.asarray(self.logits.argmax(axis=1), dtype=np.int64)

    @property
    def log_probabilities(self) -> NDArray[np.float64]:
        """[N, K], the logarithm of the softmax."""
        shifted = self.logits - self.logits.max(axis=1, keepdims=True)
        total = np.exp(shifted).sum(axis=1, keepdims=True)
        return np.asarray(shifted - np.log(total), dtype=np.float64)


def labelled(logits: ArrayLike, labels: ArrayLike) -> Labelled:
    """Brings logits [N, K] and labels [N] (arrays or CPU tensors) together.

    Raises:
        DataError: There is no image, or some label is no class of these logits.
        DivergedError: Some logit is NaN or infinite.
        ValueError: The shapes do not fit each other.
    """
    scores, truth = np.asarray(logits, dtype=np.float64), np.asarray(labels, dtype=np.int64)
    if scores.ndim != 2 or truth.shape != scores.shape[:1]:
        raise ValueError(f"Logits {scores.shape} and labels {truth.shape} must be [N, K] and [N].")
    if not len(truth):
        raise DataError("There is no labelled image to evaluate; choose another split.")

    classes = scores.shape[1]
    strangers = np.unique(truth[(truth < 0) | (truth >= classes)])
    if len(strangers):
        raise DataError(
            f"The classifier knows classes 0 to {classes - 1}; the labels also hold "
            f"{strangers.tolist()} (-1: no label). Leave those images out, or train with them."
        )
    broken = int((~np.isfinite(scores)).any(axis=1).sum())
    if broken:
        raise DivergedError(
            f"The network answers {broken} of {len(scores)} images with NaN or infinite logits; "
            f"it is broken. Use an earlier checkpoint, or train again with a lower rate."
        )
    return Labelled(scores, truth)
