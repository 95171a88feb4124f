"""How often two classifiers name the same class, right or wrong."""

import numpy as np

from understudy.evaluation.predict import Predictions


def agreement(first: Predictions, second: Predictions) -> float:
    """The share of images (0-1) that both put in the same class; order does not matter.

    Raises:
        ValueError: They answer to different images, or know different numbers of classes.
    """
    mine, other = np.argsort(first.index), np.argsort(second.index)
    if not np.array_equal(first.index[mine], second.index[other]):
        raise ValueError(
            "Agreement is defined on the same images; these predictions differ in them."
        )
    if first.logits.shape != second.logits.shape:
        raise ValueError(
            f"Agreement is defined on the same classes; "
            f"found {first.logits.shape[1]} and {second.logits.shape[1]}."
        )
    same = first.logits[mine].argmax(axis=1) == second.logits[other].argmax(axis=1)
    return float(same.mean())
