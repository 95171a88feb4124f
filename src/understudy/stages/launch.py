"""Runs one stage in its directory: found by identity, skipped when finished, resumed when not."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from understudy.core.environment import code_version
from understudy.core.errors import UsageError
from understudy.core.identity import canonical, digest, parents_of
from understudy.core.interrupts import Interrupts
from understudy.core.progress import Progress
from understudy.core.run import IDENTITY_LENGTH, Run, find_run, finished_summary
from understudy.core.settings import checked
from understudy.data.pack import open_pack
from understudy.stages import FUNCTIONS, STAGES
from understudy.stages.material import DataSettings


class Launched(NamedTuple):
    """A finished run, and whether it was finished before."""

    run: Run
    summary: dict[str, Any]
    was_skipped: bool


def launch(
    stage: str,
    recipe: Mapping[str, Any],
    *,
    origin: str,
    name: str,
    runs: Path,
    shared: Path,
    out: Path | None,
    progress: Progress,
    interrupts: Interrupts,
) -> Launched:
    """Runs a stage, or finds that it has been run.

    Args:
        stage: Its name.
        recipe: Its settings as given; parents are directories of finished runs.
        origin: Where the settings came from, to head error messages.
        name: The run's name for people.
        runs: Root of all runs.
        shared: Where packs and other things that runs share lie.
        out: The run's directory where the user names one.
        progress: Where to show how far it is.
        interrupts: Where to ask whether a signal came.

    Raises:
        UnderstudyError: Anything that a user can cause or meet.
    """
    settings = checked(STAGES[stage], recipe, origin)
    assert isinstance(settings, DataSettings)
    if recipe.get("stage", stage) != stage:
        raise UsageError(f"{origin}: settings of `{recipe['stage']}`, not of `{stage}`.")
    parents = {key: finished_summary(path) for key, path in parents_of(settings).items()}
    pack = open_pack(settings.data, shared=shared, progress=progress)

    plan_key = digest(canonical(settings, {key: found["key"] for key, found in parents.items()}))
    identities = {key: found["identity"] for key, found in parents.items()}
    content = {"settings": canonical(settings, identities), "pack": pack.key}
    identity = digest(content)[:IDENTITY_LENGTH]
    path = (
        out
        or find_run(runs, stage=stage, identity=identity)
        or (runs / stage / f"{name}-{identity}")
    )
    run = Run(path, shared=shared, identity=identity, progress=progress, interrupts=interrupts)
    run.start({"identity": identity, "settings": settings.model_dump(mode="json")})
    try:
        if run.is_finished:
            return Launched(run, run.summary(), was_skipped=True)
        began = time.monotonic()
        summary = FUNCTIONS[stage](settings, pack, run)
        run.finish(
            {
                "stage": stage,
                "name": name,
                "identity": identity,
                "key": plan_key,
                **summary,
                "seconds": time.monotonic() - began,
                "version": code_version(),
            }
        )
        return Launched(run, run.summary(), was_skipped=False)
    finally:
        run.release()
