"""How many workers pay: from trainings that were measured to a number, and nothing else."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise
from math import exp, log
from statistics import fmean
from typing import NamedTuple

from understudy.results.formats import plural

PAYS = 1.1  # times the runs of fewer workers; trainings of seconds vary by a twentieth
ROUNDS = 3  # of each number, after which nothing alike is waited for any more


class Trial(NamedTuple):
    """A training that was measured, with equally many under way from its first to its last step."""

    kind: str
    """Those of one kind do the same work for an image."""
    workers: int
    """How many were under way, this one among them."""
    speed: float
    """Images a second."""


class Bound(NamedTuple):
    """The most workers that there may be."""

    workers: int
    why: str
    """What speaks against one more."""


class Choice(NamedTuple):
    """How many workers there are to be now."""

    workers: int
    told: str = ""
    """What was found, where nothing more is to be measured; empty: these are to be measured."""


def chosen(trials: Sequence[Trial], bound: Bound) -> Choice:
    """Doubles the number of workers while that pays.

    Twice as many pay where they do at least `PAYS` times the runs in the same time. Trainings are
    compared with those of their kind alone: a study's trainings differ in what an image costs.

    Args:
        trials: What was measured, in any order.
        bound: What there may be at most.
    """
    found = ""
    steps = _steps(bound.workers)
    for few, many in pairwise(steps):
        times = gain(trials, few, many)
        if times is None and _is_waited_for(trials, few, many):
            return Choice(_to_measure(trials, few, many))
        if times is None:
            return Choice(
                few, _told(few, found, f"too few runs with {many} were like one with {few}")
            )
        if times < PAYS:
            return Choice(few, _told(few, found, f"{many} do {times:.2f} times as many"))
        found = f"{times:.2f} times the runs of {few}"
    return Choice(steps[-1], _told(steps[-1], found, bound.why))


def gain(trials: Iterable[Trial], few: int, many: int) -> float | None:
    """How many times the runs of `few` workers `many` of them do in the same time.

    None until so many trainings with `many` can be compared as are done at once.
    """
    speeds: dict[int, dict[str, list[float]]] = {few: defaultdict(list), many: defaultdict(list)}
    for trial in trials:
        if trial.workers in speeds:
            speeds[trial.workers][trial.kind].append(trial.speed)
    both = speeds[few].keys() & speeds[many].keys()
    slower = [
        log(speed / fmean(speeds[few][kind]))
        for kind in sorted(both)
        for speed in speeds[many][kind]
    ]
    return many / few * exp(fmean(slower)) if len(slower) >= many else None


def _steps(most: int) -> list[int]:
    """1, 2, 4, 8 and so on, and the last one if it could pay."""
    doubled = [1 << step for step in range(most.bit_length())]
    return [*doubled, most] if most >= PAYS * doubled[-1] else doubled


def _rounds(trials: Iterable[Trial], workers: int) -> float:
    return sum(trial.workers == workers for trial in trials) / workers


def _is_waited_for(trials: Sequence[Trial], few: int, many: int) -> bool:
    return min(_rounds(trials, few), _rounds(trials, many)) < ROUNDS


def _to_measure(trials: Sequence[Trial], few: int, many: int) -> int:
    """Each in its turn, until some of one kind were done with both."""
    done = _rounds(trials, few)
    return many if done and _rounds(trials, many) <= done else few


def _told(workers: int, found: str, against: str) -> str:
    """`2 workers: 1.71 times the runs of 1; 4 do 1.03 times as many`."""
    return f"{plural(workers, 'worker')}: {'; '.join(part for part in (found, against) if part)}"
