"""A time limit, turned into numbers of epochs by a short measurement of the study's own runs."""

import dataclasses
import math
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from understudy.core.errors import UsageError
from understudy.core.files import make_folder, read_json, write_json
from understudy.core.interrupts import Interrupts
from understudy.core.overrides import overlaid
from understudy.core.progress import Progress
from understudy.core.settings import Settings, checked, headed, nearest
from understudy.stages import STAGES
from understudy.stages.launch import launch
from understudy.studies.plan import Node, plan
from understudy.studies.study import Study
from understudy.studies.time_limit import seconds_of

PARAMETER = "budget"
TRIAL_STEPS = 12  # the first few are slower; the speed is read from the later ones
LEAST_EPOCHS = 1.0


class Share(Settings):
    """One parameter of a study that follows from the time limit."""

    share: Annotated[float, Field(gt=0, lt=1)]
    """Part of the limit that goes to these stages."""
    nodes: tuple[str, ...]
    """Stages whose epochs the parameter counts, all of them together within the share."""


def within_budget(study: Study, *, runs: Path, folder: Path, progress: Progress) -> Study:
    """The study with epochs that fit its `budget` parameter, or as it is where that is not set.

    The numbers are announced, written into the study's folder, and used again when the same
    command is given again.

    Args:
        study: The study, configured.
        runs: Root of all runs; trials are made beside them and deleted.
        folder: Of the study's results.
        progress: Where to announce the numbers.

    Raises:
        UsageError: The limit cannot be read, or the study does not say how to spend it.
    """
    limit = study.parameters.get(PARAMETER)
    if limit is None:
        return study
    times = len(study.seeds) * math.prod(len(values) for values in study.axes.values())
    seconds = seconds_of(limit) / times
    if not study.budget:
        raise UsageError(f"{study.origin}: this study has no `budget:` that says how to spend one.")

    shares = _shares(study)
    record = folder / f"budget-{times}.json"  # more seeds in the same time are fewer epochs each
    if not record.exists():
        progress.say(f"budget {limit}: measuring each stage for a few steps")
        speeds = _seconds_per_epoch(study, runs=runs, progress=progress)
        write_json(record, _epochs(shares, speeds, seconds))
    epochs: dict[str, float] = read_json(record)
    told = ", ".join(f"{key}={value:g}" for key, value in epochs.items())
    progress.say(f"budget {limit}: {told}")
    parameters = overlaid(study.parameters, epochs, origin=study.origin)
    return dataclasses.replace(study, parameters=parameters)


def _shares(study: Study) -> dict[str, Share]:
    """How the study spends its time.

    Raises:
        UsageError: A share is not one, or names a stage that is not there.
    """
    shares = {
        key: checked(Share, value, origin=f"{study.origin}, budget.{key}")
        for key, value in (study.budget or {}).items()
    }
    unknown = [
        f"budget.{key}.nodes  {node!r} is no stage; {nearest(node, list(study.stages))}"
        for key, share in shares.items()
        for node in share.nodes
        if node not in study.stages
    ]
    if unknown:
        raise UsageError(headed(study.origin, unknown))
    return shares


def _epochs(
    shares: Mapping[str, Share], speeds: Mapping[str, float], seconds: float
) -> dict[str, float]:
    return {
        key: max(
            LEAST_EPOCHS, round(share.share * seconds / sum(speeds[n] for n in share.nodes), 1)
        )
        for key, share in shares.items()
    }


def _seconds_per_epoch(study: Study, *, runs: Path, progress: Progress) -> dict[str, float]:
    """Runs the training stages of the first seed for a few steps each, and reads their speed."""
    first = dataclasses.replace(
        study, seeds=study.seeds[:1], axes={axis: values[:1] for axis, values in study.axes.items()}
    )
    trials = runs / "shared" / "trials" / study.folder
    paths: dict[str, Path] = {}
    speeds: dict[str, float] = {}
    try:
        for node in plan(first, STAGES).runs:
            if "plan" not in STAGES[node.stage].model_fields:
                continue
            launched = launch(
                node.stage,
                _shortened(node, paths),
                origin=f"{study.name}, trial of {node.name}",
                name=node.name,
                runs=make_folder(trials),
                shared=runs / "shared",
                out=None,
                progress=progress,
                interrupts=Interrupts(),
            )
            paths[node.key] = launched.run.path
            speeds[node.name] = launched.summary["seconds_per_epoch"]
    finally:
        shutil.rmtree(trials, ignore_errors=True)
    return speeds


def _shortened(node: Node, paths: Mapping[str, Path]) -> dict[str, Any]:
    recipe = node.recipe(dict(paths))
    kept = {
        key: value
        for key, value in recipe.get("plan", {}).items()
        if key in ("batch_size", "optimizer", "average")
    }
    recipe["plan"] = {**kept, "steps": TRIAL_STEPS, "observations": 1}
    recipe["machine"] = {**recipe.get("machine", {}), "compile": "never"}
    return recipe
