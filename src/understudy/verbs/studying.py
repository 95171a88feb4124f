"""A study, planned and carried out."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from understudy.core.errors import UsageError
from understudy.core.interrupts import Interrupts
from understudy.core.progress import Progress

if TYPE_CHECKING:  # they bring torch and pydantic
    from understudy.studies.plan import Plan
    from understudy.studies.running import Outcome


def planned(study: str, given: Mapping[str, Any], *, must_be_at_hand: bool) -> "Plan":
    """The graph of runs of a study; nothing is read but its file.

    Args:
        study: Name of a shipped study, or path of its file.
        given: Values by dotted key: parameters, `seeds`, `scale`, `machine.*`.
        must_be_at_hand: Whether the images must be where the study says.

    Raises:
        UsageError: There is no such study, or some value is wrong; all are named.
    """
    from understudy.studies.configure import made_of
    from understudy.studies.missing import is_all_that_was_asked, missing_places
    from understudy.studies.study import read_study

    found, mistakes = made_of(read_study(study), given)
    missing = missing_places(found) if must_be_at_hand else []
    if missing and not mistakes and is_all_that_was_asked(found):
        raise UsageError(missing[0])

    from understudy.stages import STAGES  # only now: it brings torch
    from understudy.studies.plan import plan
    from understudy.studies.tuning import tuning_of

    plan_of_all = plan(found, STAGES, mistakes=[*mistakes, *missing])
    tuning_of(plan_of_all, STAGES)  # its mistakes too
    return plan_of_all


def told(
    plan: "Plan",
    *,
    runs: Path,
    on: str = "here",
    workers: int | Literal["auto"] = 1,
    cpus: float = 1.0,
    gpus: float | None = None,
) -> list[str]:
    """A plan for a person: each stage, the time and the disk that it takes, the number of runs.

    Args:
        plan: The plan.
        runs: Root of all runs.
        on: Where its runs are to be done; so are the others, as for `carried_out`.
        workers: How many at once.
        cpus: Processors of each run.
        gpus: GPUs of each run.

    Raises:
        UsageError: They cannot be done so.
    """
    from understudy.stages import STAGES
    from understudy.studies.estimate import estimate
    from understudy.studies.executors.place import Place
    from understudy.studies.tuning import tuning_of

    Place(on=on, workers=workers, cpus=cpus, gpus=gpus).must_be_one()
    tuning = tuning_of(plan, STAGES)
    *stages, count = plan.lines()
    taken = estimate(plan, STAGES, runs=runs).lines()
    return [*stages, *taken, count, *(tuning.lines(plan) if tuning else [])]


def carried_out(
    plan: "Plan",
    *,
    runs: Path,
    on: str = "here",
    workers: int | Literal["auto"] = 1,
    cpus: float = 1.0,
    gpus: float | None = None,
    progress: Progress,
    interrupts: Interrupts,
) -> "Outcome":
    """Does every run of a plan that is not finished.

    Args:
        plan: The plan.
        runs: Root of all runs.
        on: `here`, `ray`, or `ray://HOST:PORT`.
        workers: How many at once, here; auto: as many as prove to pay.
        cpus: Processors of each run, on a cluster.
        gpus: GPUs of each run, on a cluster.
        progress: Where to show how far it is.
        interrupts: Where to ask whether a signal came.

    Raises:
        UnderstudyError: Anything that a user can cause or meet, but for the failure of some runs,
            which the outcome tells.
    """
    from understudy.studies.executors.place import Place
    from understudy.studies.running import run_study

    place = Place(on=on, workers=workers, cpus=cpus, gpus=gpus)
    return run_study(plan.study, runs=runs, place=place, progress=progress, interrupts=interrupts)
