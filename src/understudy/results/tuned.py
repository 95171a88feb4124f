"""What a study tried before it was done, as its record tells it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from understudy.results.values import listing, mapping, number, text, whole


@dataclass(frozen=True)
class Candidate:
    """One way to set a stage, tried under some values of the axes."""

    axes: dict[str, str]
    values: dict[str, str]
    """By dotted path of the grid, what stood there."""
    score: float | None
    """What decided on validation, higher is better; None: it was not finished, or diverged."""
    is_written: bool
    """Whether it is what the study's file says."""
    is_taken: bool
    status: str
    """finished | failed | pending"""
    error: str
    run: str
    """Its id, "" where it has none."""


@dataclass(frozen=True)
class Tuned:
    """What was tried of one stage."""

    study: str
    stage: str
    monitor: str
    """What decided, as `core/monitors.py` lists it."""
    seed: int | None
    best: int | None
    """How many settings of the axes were tuned, where not all were."""
    settings: int
    """How many there are."""
    tuned: int
    """How many of them were tuned."""
    candidates: tuple[Candidate, ...]
    """In study order; of a setting that was not tuned, what is written alone."""
    runs: tuple[str, ...]
    """Ids of all runs that were done for it."""

    @property
    def paths(self) -> list[str]:
        """The settings that were tried."""
        return list(dict.fromkeys(path for one in self.candidates for path in one.values))

    @property
    def axes(self) -> list[str]:
        """The axes that tell the candidates apart."""
        axes = dict.fromkeys(axis for one in self.candidates for axis in one.axes)
        return [axis for axis in axes if len({one.axes.get(axis) for one in self.candidates}) > 1]


def tuned(study: str, content: Mapping[str, Any]) -> tuple[Tuned, ...]:
    """Reads the part of study.json; nothing where the study tunes nothing."""
    if not content:
        return ()
    settings = list(map(mapping, listing(content.get("tried"))))
    candidates = [
        _candidate(mapping(one), mapping(setting.get("axes")))
        for setting in settings
        for one in listing(setting.get("candidates"))
    ]
    runs = [text(mapping(run).get("run")) for run in listing(content.get("runs"))]
    return (
        Tuned(
            study=study,
            stage=text(content.get("stage")),
            monitor=text(content.get("monitor")),
            seed=whole(content.get("seed")),
            best=whole(content.get("best")),
            settings=len(settings),
            tuned=sum(setting.get("tuned") is True for setting in settings),
            candidates=tuple(candidates),
            runs=tuple(run for run in runs if run),
        ),
    )


def _candidate(told: Mapping[str, Any], axes: Mapping[str, Any]) -> Candidate:
    return Candidate(
        axes={axis: text(value) for axis, value in axes.items()},
        values={path: text(value) for path, value in mapping(told.get("values")).items()},
        score=number(told.get("score")),
        is_written=told.get("written") is True,
        is_taken=told.get("taken") is True,
        status=text(told.get("status")),
        error=text(told.get("error")),
        run=text(told.get("run")),
    )
