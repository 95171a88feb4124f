"""What the pairs that look alike mean: harmless within a split, flattering across test and rest."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from understudy.data.check.finding import Finding, Severity
from understudy.data.check.near import LEAST_SIDE, MOST_PAIRS, Pairs

Indices = NDArray[np.int64]


def alike(
    pairs: Pairs, names: Sequence[str], splits: Sequence[str], labels: Indices, shapes: Indices
) -> list[Finding]:
    """The pairs, by what they do to the figures.

    Args:
        pairs: As `near_pairs` gives them.
        names: Of the images, [N].
        splits: Of the images, [N].
        labels: Of the images, [N]; -1 where there is none.
        shapes: Width and height of the images, [N, 2].
    """
    found = [*_too_small(shapes)]
    for kind, severity, sentence in _CASES:
        chosen = of_kind(kind, pairs, splits, labels)
        if len(chosen):
            count = f"{len(chosen):,}{' or more' if len(pairs) >= MOST_PAIRS else ''}"
            told = sentence.format(
                pairs="1 pair" if len(chosen) == 1 else f"{count} pairs",
                images=f"{len(_tested(chosen, splits)):,}",
            )
            members = tuple(f"{names[one]} ~ {names[other]}" for one, other, _ in chosen)
            found.append(Finding(kind, severity, told, members, len(chosen)))
    return found


def _too_small(shapes: Indices) -> list[Finding]:
    if not len(shapes) or shapes.min() >= LEAST_SIDE:
        return []
    sentence = (
        f"look-alikes were not looked for: images of fewer than {LEAST_SIDE} pixels a side are too "
        "coarse to tell them from others."
    )
    return [Finding("coarse", "note", sentence)]


ACROSS, APART, WITHIN = "near-identical across test", "near-identical, two labels", "near-identical"

_CASES: tuple[tuple[str, Severity, str], ...] = (
    (
        ACROSS,
        "warning",
        "{images} test images look like images outside the test split ({pairs}), which makes the "
        "test a little too easy:",
    ),
    (APART, "warning", "{pairs} of images look alike and have different labels:"),
    (WITHIN, "note", "{pairs} of images look alike otherwise:"),
)


def of_kind(kind: str, pairs: Pairs, splits: Sequence[str], labels: Indices) -> Pairs:
    """The pairs of one kind; a pair across the test split counts there alone."""
    in_test = np.array([split == "test" for split in splits], dtype=bool)
    one, other = pairs[:, 0], pairs[:, 1]
    across = in_test[one] != in_test[other]
    apart = (labels[one] >= 0) & (labels[other] >= 0) & (labels[one] != labels[other]) & ~across
    chosen: Pairs = pairs[{ACROSS: across, APART: apart, WITHIN: ~across & ~apart}[kind]]
    return chosen


def _tested(pairs: Pairs, splits: Sequence[str]) -> set[int]:
    return {place for place in pairs[:, :2].ravel().tolist() if splits[place] == "test"}
