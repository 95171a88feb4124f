"""Tries the candidates of a study that tunes, on validation alone."""

from collections.abc import Mapping
from typing import Any

from understudy.core.errors import DivergedError
from understudy.core.monitors import MONITORS, Monitor
from understudy.core.wording import named
from understudy.results.formats import nats, percent
from understudy.studies.execution import Execution
from understudy.studies.plan import Plan
from understudy.studies.recording import Record, Tried
from understudy.studies.tuning import Setting, Tuning


def tried_out(tuning: Tuning, planned: Plan, execution: Execution, record: Record) -> Tried:
    """Trains every candidate that is not finished, and tells what is taken.

    A candidate that diverged is tried, and not taken.

    Raises:
        UnderstudyError: A candidate failed for another reason, so that the choice would not be
            between all of them. What is finished is kept; the same command goes on.
    """

    def so_far(among: tuple[Setting, ...] = (), *, is_over: bool = False) -> Tried:
        return Tried(tuning, _scores(tuning, execution), among, is_over)

    record.write(planned, so_far())  # so that nobody takes away what is needed
    execution.do(
        tuning.as_written,
        then=planned.runs,
        part="tuning ",
        after_each=lambda: record.write(planned, so_far()),
    )
    _must_all_be_tried(execution)
    among = tuning.chosen(so_far().scores)
    execution.do(
        tuning.needed(setting.candidates for setting in among),
        then=planned.runs,
        part="tuning ",
        after_each=lambda: record.write(planned, so_far(among)),
    )
    _must_all_be_tried(execution)
    tried = so_far(among, is_over=True)
    for setting in among:
        execution.progress.say(_told(setting, tried))
    return tried


def _must_all_be_tried(execution: Execution) -> None:
    for error in execution.errors.values():
        if not isinstance(error, DivergedError):
            raise error


def _scores(tuning: Tuning, execution: Execution) -> dict[str, float]:
    found = {
        node.key: _score(summary, tuning.monitor)
        for node in tuning.runs
        if node.name == tuning.settings.stage
        and (summary := execution.summaries.get(node.key)) is not None
    }
    return {key: score for key, score in found.items() if score is not None}


def _score(summary: Mapping[str, Any], monitor: str) -> float | None:
    """What decided which checkpoint is the best, there; higher is better."""
    seen = summary["checkpoints"].get("best", {}).get(f"val_{monitor}")
    return None if seen is None else MONITORS[monitor].score(seen)


def _written(monitor: Monitor, score: float) -> str:
    value = monitor.value(score)
    return percent(value) if monitor.is_share else nats(value)


def _told(setting: Setting, tried: Tried) -> str:
    """`tuned student, objective dist: terms.1.weight = 2, of 3 candidates (45.1 % of ...)`."""
    taken = setting.taken(tried.scores)
    places = [f", {axis} {named(value)}" for axis, value in setting.axes.items()]
    values = ", ".join(f"{path} = {value}" for path, value in taken.values.items())
    score = tried.scores.get(taken.node.key)
    monitor = MONITORS[tried.tuning.monitor]
    seen = (
        "none could be trained"
        if score is None
        else f"{percent(score)} of the validation images"
        if tried.tuning.monitor == "top1"
        else f"validation {monitor.title} {_written(monitor, score)}"
    )
    return (
        f"tuned {tried.tuning.settings.stage}{''.join(places)}: {values}, of "
        f"{len(setting.candidates)} candidates ({seen})"
    )
