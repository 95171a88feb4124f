"""`understudy train` and the other stages: one run from a recipe."""

import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from understudy.cli.loudness import Loudness
from understudy.cli.plain_text import plain
from understudy.cli.progress import progress_on
from understudy.core.overrides import overlaid, parse_overrides, with_data_path
from understudy.core.shipped import found
from understudy.core.yaml import read_yaml
from understudy.data.sources.places import places_must_exist
from understudy.results.evaluation_screen import show_evaluation

DEFAULTS = "command line"


def stage_command(
    stage: str,
    asked: str,
    words: Sequence[str],
    *,
    runs: Path,
    name: str | None,
    out: Path | None,
    loudness: Loudness,
) -> int:
    """Runs a stage with a recipe's settings, or with the defaults where none is asked for.

    Raises:
        UnderstudyError: Anything that a user can cause or meet.
    """
    path = found(asked, folder=stage, what=f"{stage} recipe") if asked else None
    overrides = with_data_path(parse_overrides(words))
    recipe = overlaid(read_yaml(path) if path else {}, overrides, origin=asked or DEFAULTS)

    if all(key.split(".")[0] == "data" for key in overrides):  # else all mistakes come together
        places_must_exist(recipe.get("data"))

    from understudy.core.interrupts import Interrupts
    from understudy.stages.launch import launch  # only now: it brings torch

    interrupts = Interrupts()
    with progress_on(sys.stderr, loudness) as progress, interrupts.listening():
        launched = launch(
            stage,
            recipe,
            origin=asked or DEFAULTS,
            name=name or (path.stem if path else stage),
            runs=runs,
            shared=runs / "shared",
            out=out,
            progress=progress,
            interrupts=interrupts,
        )
        if launched.was_skipped:
            progress.say("Nothing new to do: this run was finished before.")
    if stage == "evaluate":
        show_evaluation(launched.summary, Console(highlight=False))
    print(plain(str(launched.run.path)))
    return 0
