"""A time limit, turned into numbers of epochs by a short measurement of the study's own runs."""

import dataclasses
import shutil
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from understudy.core.errors import UsageError
from understudy.core.files import make_folder, read_json, write_json
from understudy.core.interrupts import Interrupts
from understudy.core.overrides import overlaid
from understudy.core.progress import Progress
from understudy.core.settings import headed
from understudy.engine.machine import MachineSettings
from understudy.engine.plan import PlanSettings
from understudy.stages import STAGES
from understudy.stages.launch import launch
from understudy.studies.filling import references_in
from understudy.studies.parameters import BUDGET
from understudy.studies.plan import plan
from understudy.studies.study import Study
from understudy.studies.time_limit import seconds_of
from understudy.studies.tuning import tuning_of

LEAST_EPOCHS = 1.0


def within_budget(study: Study, *, runs: Path, folder: Path, progress: Progress) -> Study:
    """The study with epochs that fit its `budget` parameter, or as it is where that is not set.

    The numbers are announced, written into the study's folder, and used again when the same
    command is given again.

    Args:
        study: The study, configured.
        runs: Root of all runs; trials are made under it and deleted.
        folder: The study's, where the numbers are kept.
        progress: Where to announce the numbers.

    Raises:
        UsageError: The limit cannot be read, or the study does not say how to spend it.
    """
    limit = study.parameters.get(BUDGET)
    if limit is None:
        return study
    if not study.budget:
        raise UsageError(f"{study.origin}: this study has no `budget:` that says how to spend one.")
    shares = _shares(study)
    planned = plan(study, STAGES)
    tuning = tuning_of(planned, STAGES)
    every = {node.key: node for node in (*planned.runs, *(tuning.runs if tuning else ()))}
    nodes = list(every.values())  # what is tried takes time too; all of it, whatever is chosen
    record = folder / f"budget-{len(nodes)}.json"  # more runs in the same time: fewer epochs each
    if not record.exists():
        progress.say(f"budget {limit}: measuring each stage for a few steps")
        trials = trials_of(study, runs=runs, progress=progress, trial=THOROUGH)
        costs = [
            trials[node.name]._replace(of=key)
            for node in nodes
            if node.name in trials
            for key in [next((k for k in shares if node.name in readers(study, k)), "")]
        ]
        write_json(record, epochs_within(shares, costs, seconds_of(limit)))
    epochs: dict[str, float] = read_json(record)
    told = ", ".join(f"{key}={value:g}" for key, value in epochs.items())
    if min(epochs.values()) <= LEAST_EPOCHS:
        progress.warn(
            f"budget {limit}: {told}; this is too short: one epoch each is done all the same"
        )
    else:
        progress.say(f"budget {limit}: {told}")
    parameters = overlaid(study.parameters, epochs, origin=study.origin)
    return dataclasses.replace(study, parameters=parameters)


class Trial(NamedTuple):
    """How a training is tried."""

    steps: int = 12
    """The first few are slower; the speed is read from the later ones."""
    most: int | None = None
    """Images in a step at most."""
    machine: Mapping[str, str] = {}
    """Ways to compute that are not looked for."""


THOROUGH = Trial()
BRIEF = Trial(steps=4, most=32, machine={"precision": "fp32", "memory_format": "channels_last"})
"""For an estimate on a processor, where an image costs about as much in a small batch as in a large
one; on two cores the steps of a pretraining of 64 x 64 pixels take half a minute each."""


class Cost(NamedTuple):
    """What one training run costs."""

    seconds: float
    """As its plan stands."""
    epoch: float
    """Of one pass over its images."""
    of: str
    """The parameter that the limit decides and that its plan reads; "" for none."""


def epochs_within(
    shares: Mapping[str, float], costs: Collection[Cost], limit: float
) -> dict[str, float]:
    """The epochs for each share of the time that is left when all other trainings had theirs.

    Args:
        shares: Part of that time by parameter.
        costs: Of every training run of the study.
        limit: Seconds for all of them.
    """
    left = limit - sum(cost.seconds for cost in costs if not cost.of)
    return {
        key: max(LEAST_EPOCHS, round(share * left / _epoch_of(key, costs), 1))
        for key, share in shares.items()
    }


def _epoch_of(key: str, costs: Iterable[Cost]) -> float:
    return sum(cost.epoch for cost in costs if cost.of == key)


def readers(study: Study, key: str) -> set[str]:
    """The stages whose settings refer to a parameter."""
    return {node for node, stage in study.stages.items() if key in set(references_in(stage))}


def _shares(study: Study) -> dict[str, float]:
    """How the study spends its time.

    Raises:
        UsageError: A share is not one, or is of a parameter that no stage reads.
    """
    mistakes, shares = [], {}
    for key, value in (study.budget or {}).items():
        if isinstance(value, bool) or not isinstance(value, float) or not 0 < value < 1:
            mistakes.append(f"budget.{key} = {value}  must be a share between 0 and 1")
        elif not readers(study, key):
            mistakes.append(f"budget.{key}  is read by no stage of this study as `${{{key}}}`")
        else:
            shares[key] = value
    if sum(shares.values()) > 1:
        mistakes.append("budget  must be shares of one whole; together they are more than 1")
    if mistakes:
        raise UsageError(headed(study.origin, mistakes))
    return shares


def estimated(study: Study, *, runs: Path, progress: Progress) -> dict[str, float]:
    """About how many seconds each training of the first seed takes."""
    on_cpu = MachineSettings().build_device().type == "cpu"
    trial = BRIEF if on_cpu else THOROUGH
    costs = trials_of(study, runs=runs, progress=progress, trial=trial)
    return {stage: cost.seconds for stage, cost in costs.items()}


def trials_of(study: Study, *, runs: Path, progress: Progress, trial: Trial) -> dict[str, Cost]:
    """Runs the training stages of the first seed for a few steps each, and reads their speed."""
    first = dataclasses.replace(
        study, seeds=study.seeds[:1], axes={axis: values[:1] for axis, values in study.axes.items()}
    )
    trials = runs / "shared" / "trials" / study.folder
    paths: dict[str, Path] = {}
    costs: dict[str, Cost] = {}
    try:
        for node in plan(first, STAGES).runs:
            if "plan" not in STAGES[node.stage].model_fields:
                continue
            recipe = node.recipe(paths)
            launched = launch(
                node.stage,
                _shortened(recipe, trial),
                origin=f"{study.name}, trial of {node.name}",
                name=node.name,
                runs=make_folder(trials),
                shared=runs / "shared",
                out=None,
                progress=progress,
                interrupts=Interrupts(),
                told_of_images=True,
            )
            paths[node.key] = launched.run.path
            planned, tried = (
                dict(STAGES[node.stage].model_validate(each))["plan"]
                for each in (recipe, _shortened(recipe, trial))
            )
            costs[node.name] = _cost(planned, tried, launched.summary)
    finally:
        shutil.rmtree(trials, ignore_errors=True)
    return costs


def _cost(planned: PlanSettings, tried: PlanSettings, seen: Mapping[str, Any]) -> Cost:
    epoch: float = seen["seconds_per_epoch"]
    step = epoch * seen["epochs"] / seen["steps"] * planned.batch_size / tried.batch_size
    seconds = step * planned.steps if planned.steps else epoch * (planned.epochs or 0)
    return Cost(seconds=seconds, epoch=epoch, of="")


def _shortened(recipe: dict[str, Any], trial: Trial) -> dict[str, Any]:
    """The same training for a few steps."""
    kept = {
        key: value
        for key, value in recipe.get("plan", {}).items()
        if key in ("batch_size", "optimizer", "average")
    }
    if trial.most:
        kept["batch_size"] = min(trial.most, kept.get("batch_size", trial.most))
    return {
        **recipe,
        "plan": {**kept, "steps": trial.steps, "observations": 1},
        "machine": {**recipe.get("machine", {}), **trial.machine, "compile": "never"},
    }
