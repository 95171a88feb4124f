"""The linear probe: what frozen features tell a linear classifier."""

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, PositiveFloat, PositiveInt, field_validator

from understudy.core.errors import DataError
from understudy.core.settings import Settings

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline


class Features(NamedTuple):
    """Frozen features with their labels."""

    values: NDArray[np.float32]
    """[N, D]."""
    labels: NDArray[np.int64]
    """[N]."""


class ProbeSettings(Settings):
    """Judges features by the best linear classifier on them; the network stays as it is."""

    strengths: tuple[PositiveFloat, ...] = Field(
        default=(0.001, 0.01, 0.1, 1.0, 10.0), min_length=1
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


def linear_probe(
    train: Features, validation: Features, test: Features, *, settings: ProbeSettings
) -> Probe:
    """Fits a multinomial logistic regression on features standardised with the training's figures.

    The test images are looked at once, by the classifier that validation chose.

    Raises:
        DataError: The training labels name fewer than two classes.
    """
    present = np.unique(train.labels)
    if len(present) < 2:
        raise DataError(
            f"A linear probe needs labelled images of two classes or more; found classes "
            f"{present.tolist()}. Label more images."
        )

    probes = [_fitted(train, strength, settings.iterations) for strength in settings.strengths]
    shares = [float(probe.score(*validation)) for probe in probes]
    best = int(np.argmax(shares))

    return Probe(
        test=float(probes[best].score(*test)),
        validation=shares[best],
        strength=settings.strengths[best],
        tried=tuple(zip(settings.strengths, shares, strict=True)),
    )


def _fitted(train: Features, strength: float, iterations: int) -> "Pipeline":
    from sklearn.linear_model import LogisticRegression  # half a second that a plan need not wait
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    classifier = LogisticRegression(C=strength, max_iter=iterations)
    return make_pipeline(StandardScaler(), classifier).fit(*train)
