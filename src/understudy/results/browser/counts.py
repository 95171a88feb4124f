"""Figures that follow from counts, held against what a file says of them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from understudy.results.browser.sheet import Run
from understudy.results.formats import exact

TOLERANCE = 1e-3  # files round to three figures, or were computed in float32


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


def disagreements(runs: Sequence[Run]) -> Iterator[str]:
    """A sentence for each column that says other than its rows' own counts."""
    for name, figure in FROM_COUNTS.items():
        pairs = [pair for run in runs if (pair := _pair(run.figures, name, figure))]
        wrong = [(told, right) for told, right in pairs if abs(told - right) > TOLERANCE]
        if wrong:
            told, right = max(wrong, key=lambda pair: abs(pair[0] - pair[1]))
            yield (
                f"{name} is not what tp, fp, tn and fn give in {exact(len(wrong))} of "
                f"{exact(len(pairs))} rows, such as {told:.4f} where they give {right:.4f}. "
                "It is shown as the file has it."
            )


def _pair(
    figures: Mapping[str, float], name: str, figure: Callable[[Counts], float]
) -> tuple[float, float] | None:
    """What a row says and what its counts give; None where either is not there or not defined."""
    if not all(key in figures for key in (name, *Counts._fields)):
        return None
    try:
        return figures[name], figure(Counts(*(figures[key] for key in Counts._fields)))
    except ZeroDivisionError:
        return None
