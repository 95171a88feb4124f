"""How often two classifiers name the same class, right or wrong."""

from collections.abc import Sequence
from itertools import combinations
from statistics import fmean

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


def disagreement(members: Sequence[Predictions]) -> float:
    """The share of images (0-1) on which two members differ, averaged over all pairs of members.

    What an ensemble lives on: members that err on the same images gain nothing together.

    Raises:
        ValueError: As for `agreement`; or there are fewer than two.
    """
    if len(members) < 2:
        raise ValueError(f"Disagreement is defined on two members or more; found {len(members)}.")
    return fmean(1 - agreement(one, other) for one, other in combinations(members, 2))
