"""Figures that follow from counts, held against what a file says of them."""

from collections.abc import Iterator, Mapping, Sequence

from understudy.evaluation.counts import FROM_COUNTS, Counts, figure_of
from understudy.results.browser.sheet import Run
from understudy.results.formats import exact

TOLERANCE = 1e-3  # files round to three figures, or were computed in float32


def disagreements(runs: Sequence[Run]) -> Iterator[str]:
    """A sentence for each column that says other than its rows' own counts."""
    for name in FROM_COUNTS:
        pairs = [pair for run in runs if (pair := _pair(run.figures, name))]
        wrong = [(told, right) for told, right in pairs if abs(told - right) > TOLERANCE]
        if wrong:
            told, right = max(wrong, key=lambda pair: abs(pair[0] - pair[1]))
            yield (
                f"{name} is not what tp, fp, tn and fn give in {exact(len(wrong))} of "
                f"{exact(len(pairs))} rows, such as {told:.4f} where they give {right:.4f}. "
                "It is shown as the file has it."
            )


def _pair(figures: Mapping[str, float], name: str) -> tuple[float, float] | None:
    """What a row says and what its counts give; None where either is not there or not defined."""
    if not all(key in figures for key in (name, *Counts._fields)):
        return None
    right = figure_of(name, Counts(*(figures[key] for key in Counts._fields)))
    return None if right is None else (figures[name], right)
