"""What a classifier of two classes is worth where one of them is looked for.

Written out like `accuracy`, and for its reasons. Scikit-learn is the oracle.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from understudy.core.errors import UsageError
from understudy.core.wording import nearest
from understudy.evaluation.counts import Counts, figure_of
from understudy.evaluation.labelled import Labelled, labelled
from understudy.evaluation.ranking import area_under_curve

FIGURES = ("precision", "recall", "f1", "f0.5")


class Binary(NamedTuple):
    """Figures of the class that is looked for; shares are 0-1, and None where none is defined."""

    positive: str
    """The class that is looked for."""
    counts: Counts
    """Of the images, by the likelier class."""
    auc: float | None
    """The chance that a positive image scores above a negative one, of equal scores half; None
    where the images are of one class."""

    def as_json(self) -> dict[str, Any]:
        """As `summary.json` holds it."""
        counts = {name: int(count) for name, count in self.counts._asdict().items()}
        figures = {name: figure_of(name, self.counts) for name in FIGURES}
        return {"positive": self.positive, **counts, **figures, "auc": self.auc}


def positive_of(classes: Sequence[str], asked: str | None, *, otherwise: str | None) -> str | None:
    """The class that is looked for; None where there are other than two.

    Args:
        classes: Names.
        asked: The one that the user names.
        otherwise: The class of all other images, which nobody looks for.

    Returns:
        As asked; else that which is not `otherwise`; else the second, as scikit-learn has it.

    Raises:
        UsageError: There is no such class.
    """
    if asked is not None and asked not in classes:
        raise UsageError(
            f"positive = {asked}: no class of these images; {nearest(asked, list(classes))}."
        )
    if len(classes) != 2:
        return None
    if asked is not None:
        return asked
    return next(name for name in classes[::-1] if name != otherwise)


def binary(
    logits: ArrayLike, labels: ArrayLike, *, classes: Sequence[str], positive: str
) -> Binary:
    """Every figure of two classes.

    Args:
        logits: [N, 2].
        labels: [N].
        classes: Both names, in the order of the logits.
        positive: That which is looked for.

    Raises:
        DataError, DivergedError, ValueError: As for `labelled`.
    """
    answers, place = labelled(logits, labels), list(classes).index(positive)
    truth, told = answers.labels == place, answers.predicted == place
    return Binary(
        positive,
        Counts(
            tp=int((truth & told).sum()),
            fp=int((~truth & told).sum()),
            tn=int((~truth & ~told).sum()),
            fn=int((truth & ~told).sum()),
        ),
        area_under_curve(_scores(answers, place), truth),
    )


def _scores(answers: Labelled, place: int) -> NDArray[np.float64]:
    """[N], how much likelier the positive class is: softmax's order, without its rounding."""
    return np.asarray(answers.logits[:, place] - answers.logits[:, 1 - place], dtype=np.float64)
