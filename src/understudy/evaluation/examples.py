"""Which images to show of what a classifier answers; a pure function of the answers."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from understudy.evaluation.labelled import Labelled, labelled

Why = Literal["mistake", "taught otherwise", "surpassed", "right"]
"""Wrong and sure of it; wrong where the teacher is right; right where it is wrong; right, unsure"""
MOST: dict[Why, int] = {"mistake": 24, "taught otherwise": 12, "surpassed": 6, "right": 6}
"""Images of each kind, 48 together: as many as a person looks through."""


class Answer(NamedTuple):
    """What a classifier says of one image."""

    place: int
    """The class, by its place among the logits."""
    probability: float


class Example(NamedTuple):
    """One image worth showing."""

    row: int
    """Which of the answered images."""
    why: Why
    label: int
    answer: Answer
    of_label: float
    """The probability given to the true class."""
    teacher: Answer | None


def examples(
    logits: ArrayLike, labels: ArrayLike, *, teacher: ArrayLike | None = None
) -> tuple[Example, ...]:
    """The most telling images, each once, kind by kind.

    Mistakes are ordered by confidence, the surest first; what is right, the least sure first.
    Equals stand in the order of the images.

    Args:
        logits: [N, K].
        labels: [N], each in 0 .. K-1.
        teacher: The teacher's logits [N, K] for the same images, or None.

    Raises:
        DataError, DivergedError, ValueError: As for `labelled`.
    """
    own = labelled(logits, labels)
    others = None if teacher is None else labelled(teacher, labels)
    seen: set[int] = set()
    return tuple(
        _example(row, why, own, others)
        for why, rows in _kinds(own, others)
        for row in islice(_unseen(rows.tolist(), seen), MOST[why])
    )


def _kinds(own: Labelled, others: Labelled | None) -> Iterator[tuple[Why, NDArray[np.int64]]]:
    confidence = own.log_probabilities.max(axis=1)
    sure, unsure = (np.argsort(sign * confidence, kind="stable") for sign in (-1, 1))
    right = own.predicted == own.labels
    yield "mistake", sure[~right[sure]]
    if others is not None:
        knew = others.predicted == others.labels
        yield "taught otherwise", sure[~right[sure] & knew[sure]]
        yield "surpassed", sure[right[sure] & ~knew[sure]]
    yield "right", unsure[right[unsure]]


def _unseen(rows: Iterable[int], seen: set[int]) -> Iterator[int]:
    for row in rows:
        if row not in seen:
            seen.add(row)
            yield row


def _example(row: int, why: Why, own: Labelled, others: Labelled | None) -> Example:
    label = int(own.labels[row])
    return Example(
        row=row,
        why=why,
        label=label,
        answer=_answer(own, row),
        of_label=float(np.exp(own.log_probabilities[row, label])),
        teacher=None if others is None else _answer(others, row),
    )


def _answer(answers: Labelled, row: int) -> Answer:
    probabilities = np.exp(answers.log_probabilities[row])
    place = int(probabilities.argmax())
    return Answer(place, float(probabilities[place]))
