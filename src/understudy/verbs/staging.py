"""One stage, done alone."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from understudy.core.interrupts import Interrupts
from understudy.core.progress import Progress

if TYPE_CHECKING:  # it brings torch
    from understudy.stages.launch import Launched


def done(
    stage: str,
    recipe: str,
    given: Mapping[str, Any],
    *,
    asked_by: str,
    runs: Path,
    name: str | None,
    out: Path | None,
    progress: Progress,
    interrupts: Interrupts,
) -> "Launched":
    """Runs a stage with a recipe's settings, or with the defaults where none is asked for.

    Args:
        stage: Which one.
        recipe: Name of a shipped recipe, or path of its file; "" for the defaults.
        given: Values by dotted key, laid over the recipe.
        asked_by: Heads the mistakes where there is no recipe.
        runs: Root of all runs.
        name: Name of the run; by default that of the recipe.
        out: The run's folder, instead of one under `runs`.
        progress: Where to show how far it is.
        interrupts: Where to ask whether a signal came.

    Raises:
        UnderstudyError: Anything that a user can cause or meet.
    """
    from understudy.core.overrides import overlaid, with_data_path
    from understudy.core.shipped import found
    from understudy.core.yaml import read_yaml
    from understudy.data.sources.places import places_must_exist

    path = found(recipe, folder=stage, what=f"{stage} recipe") if recipe else None
    origin = recipe or asked_by
    settings = overlaid(read_yaml(path) if path else {}, with_data_path(given), origin=origin)
    if all(key.split(".")[0] == "data" for key in given):  # else all mistakes come together
        places_must_exist(settings.get("data"))

    from understudy.stages.launch import launch  # only now: it brings torch

    with interrupts.listening():
        launched = launch(
            stage,
            settings,
            origin=origin,
            name=name or (path.stem if path else stage),
            runs=runs,
            shared=runs / "shared",
            out=out,
            progress=progress,
            interrupts=interrupts,
        )
    if launched.was_skipped:
        progress.say("Nothing new to do: this run was finished before.")
    return launched
