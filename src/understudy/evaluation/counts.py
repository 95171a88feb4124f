"""Figures of two classes that follow from four counts."""

from collections.abc import Callable, Mapping
from typing import NamedTuple


class Counts(NamedTuple):
    """The four cases of two classes."""

    tp: float
    fp: float
    tn: float
    fn: float


def _f(beta: float) -> Callable[[Counts], float]:
    """F-beta: (1 + β²) of the true positives, with β² of those missed and the false ones."""
    square = beta**2

    def figure(of: Counts) -> float:
        return (1 + square) * of.tp / ((1 + square) * of.tp + square * of.fn + of.fp)

    return figure


FROM_COUNTS: Mapping[str, Callable[[Counts], float]] = {
    "accuracy": lambda of: (of.tp + of.tn) / sum(of),
    "precision": lambda of: of.tp / (of.tp + of.fp),
    "recall": lambda of: of.tp / (of.tp + of.fn),
    "specificity": lambda of: of.tn / (of.tn + of.fp),
    "f1": _f(1.0),
    "f0.5": _f(0.5),
    "f2": _f(2.0),
}
"""Each raises ZeroDivisionError where it is not defined."""


def figure_of(name: str, counts: Counts) -> float | None:
    """A figure by its name; None where it is not defined."""
    try:
        return FROM_COUNTS[name](counts)
    except ZeroDivisionError:
        return None
