"""A study, planned and carried out."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

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


def told(plan: "Plan") -> list[str]:
    """A plan for a person: a line for each stage, what is tuned, and how many runs there are."""
    from understudy.stages import STAGES
    from understudy.studies.tuning import tuning_of

    tuning = tuning_of(plan, STAGES)
    return [*plan.lines(), *(tuning.lines(plan) if tuning else [])]


def carried_out(
    plan: "Plan", *, runs: Path, workers: int, progress: Progress, interrupts: Interrupts
) -> "Outcome":
    """Does every run of a plan that is not finished, `workers` of them at once.

    Raises:
        UnderstudyError: Anything that a user can cause or meet, but for the failure of some runs,
            which the outcome tells.
    """
    from understudy.studies.running import run_study

    return run_study(
        plan.study, runs=runs, workers=workers, progress=progress, interrupts=interrupts
    )
