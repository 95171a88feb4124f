"""`tune:` in a study's file: which settings of which stage are chosen on validation."""

import itertools
from collections.abc import Iterator, Mapping
from typing import Any, Self

from pydantic import NonNegativeInt, PositiveFloat, PositiveInt, model_validator

from understudy.core.errors import UsageError
from understudy.core.settings import Settings, checked
from understudy.core.wording import headed
from understudy.studies.filling import Filling
from understudy.studies.study import Study


class FactorSettings(Settings):
    """Factors on what is written, which may differ from one value of an axis to another."""

    times: tuple[PositiveFloat, ...]
    """What the written value is multiplied by; what is written takes part in any case."""


class TuneSettings(Settings):
    """What is tried, and for which runs."""

    stage: str
    """The stage of this study whose settings are chosen."""
    grid: dict[str, FactorSettings | tuple[Any, ...]]
    """By dotted path in the stage's settings: a list of values, or `{times: [...]}`. All are
    combined with each other."""
    seed: NonNegativeInt | None = None
    """The seed of what is tried; by default the first of the study."""
    best: PositiveInt | None = None
    """Only so many settings of the axes are tuned: those that do best as they are written."""

    @model_validator(mode="after")
    def _tries_something(self) -> Self:
        empty = [path for path, entry in self.grid.items() if not _tries(entry)]
        if empty or not self.grid:
            raise ValueError(f"{', '.join(empty) or 'grid'}  needs a value to try")
        return self

    def points(self) -> Iterator[Mapping[str, Any]]:
        """Every combination of the grid, as changes of settings."""
        for point in itertools.product(*map(_tries, self.grid.values())):
            yield dict(zip(self.grid, point, strict=True))


def _tries(entry: FactorSettings | tuple[Any, ...]) -> list[Any]:
    if isinstance(entry, FactorSettings):
        return [{"times": factor} for factor in entry.times]
    return list(entry)


def tune_of(study: Study) -> TuneSettings | None:
    """What the study tunes, its references filled in; None for a study that tunes nothing.

    Raises:
        UsageError: It is not what it must be.
    """
    if study.tune is None:
        return None
    filling = Filling(study.parameters, {})
    filled = filling.fill(study.tune)
    origin = f"{study.origin}, tune"
    if filling.mistakes:
        raise UsageError(headed(origin, [text.strip() for _, text in filling.mistakes]))
    return checked(TuneSettings, filled, origin)
