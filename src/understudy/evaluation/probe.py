"""The linear probe: what frozen features tell a linear classifier."""

import warnings
from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, PositiveFloat, PositiveInt, field_validator

from understudy.core.errors import DataError
from understudy.core.settings import Settings
from understudy.evaluation.hits import hits

if TYPE_CHECKING:
    from sklearn.preprocessing import StandardScaler


class Features(NamedTuple):
    """Frozen features with their labels."""

    values: NDArray[np.float32]
    """[N, D]."""
    labels: NDArray[np.int64]
    """[N]."""


class ProbeSettings(Settings):
    """Judges features by the best linear classifier on them; the network stays as it is."""

    strengths: tuple[PositiveFloat, ...] = Field(
        default=(0.0001, 0.001, 0.01, 0.1, 1.0), min_length=1
    )
    """Inverse regularisation strengths to try, rising; the best on validation is taken."""
    iterations: PositiveInt = 1000
    """Most steps of the solver for each."""

    @field_validator("strengths")
    @classmethod
    def _rise(cls, strengths: tuple[float, ...]) -> tuple[float, ...]:
        if any(later <= earlier for earlier, later in pairwise(strengths)):
            raise ValueError("must rise, each larger than the one before")
        return strengths


class Probe(NamedTuple):
    """How well a linear classifier does, and which one; shares are 0-1."""

    test: float
    validation: float
    strength: float
    """The chosen inverse regularisation strength; among equals the smallest."""
    tried: tuple[tuple[float, float], ...]
    """Each strength with its share right on validation."""
    test_top5: float | None
    """None with five classes or fewer."""
    converged: bool
    """Whether the solver of the chosen one came to its end within its steps."""


def linear_probe(
    train: Features,
    validation: Features,
    test: Features,
    *,
    settings: ProbeSettings,
    num_classes: int | None = None,
) -> Probe:
    """Fits a multinomial logistic regression on features standardised with the training's figures.

    Each strength begins where the one before it ended. The test images are looked at once, by the
    classifier that validation chose.

    Args:
        train: What it learns from; a class that is not among them is never named.
        validation: What chooses.
        test: What is asked.
        settings: What is tried.
        num_classes: Of the task; by default those that the labels name.

    Raises:
        DataError: The training labels name fewer than two classes, or there is nothing to choose
            with.
    """
    present = np.unique(train.labels)
    if len(present) < 2:
        raise DataError(
            f"A linear probe needs labelled images of two classes or more; found classes "
            f"{present.tolist()}. Label more images."
        )
    if not len(validation.labels):
        raise DataError(
            "A linear probe chooses its regularisation on labelled validation images, and there "
            "are none. Label some: `labels.validation_per_class`, `split.validation`."
        )
    classes = num_classes or 1 + max(int(each.labels.max()) for each in (train, validation, test))
    fitted = list(_fitted(train, settings, classes))
    shares = [hits(one.scores(validation.values), validation.labels).top1 for one in fitted]
    best = int(np.argmax(shares))
    found = hits(fitted[best].scores(test.values), test.labels)

    return Probe(
        test=found.top1,
        validation=shares[best],
        strength=settings.strengths[best],
        tried=tuple(zip(settings.strengths, shares, strict=True)),
        test_top5=found.top5,
        converged=fitted[best].converged,
    )


class _Linear(NamedTuple):
    """A linear classifier of standardised features."""

    scaler: "StandardScaler"
    weight: NDArray[np.float32]
    """[P, D], for the classes that it knows; [1, D] where they are two."""
    bias: NDArray[np.float32]
    present: NDArray[np.int64]
    """[P], which classes they are."""
    classes: int
    """K."""
    converged: bool

    def scores(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """[N, K]; -inf for the classes that it does not know."""
        found = self.scaler.transform(values) @ self.weight.T + self.bias
        found = np.hstack([-found, found]) if len(self.present) == 2 else found
        scores = np.full((len(values), self.classes), -np.inf, np.float32)
        scores[:, self.present] = found
        return scores


def _fitted(train: Features, settings: ProbeSettings, classes: int) -> Iterator[_Linear]:
    """A classifier for each strength."""
    from sklearn.exceptions import ConvergenceWarning  # half a second that a plan need not wait
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler().fit(train.values)
    values = scaler.transform(train.values)
    solver = LogisticRegression(max_iter=settings.iterations, warm_start=True)
    for strength in settings.strengths:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # told by `converged`
            solver.set_params(C=strength).fit(values, train.labels)
        yield _Linear(
            scaler=scaler,
            weight=solver.coef_.astype(np.float32),
            bias=solver.intercept_.astype(np.float32),
            present=solver.classes_,
            classes=classes,
            converged=int(solver.n_iter_.max()) < settings.iterations,
        )
