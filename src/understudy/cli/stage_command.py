"""`understudy train` and the other stages: one run from a recipe."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from understudy import verbs
from understudy.cli.loudness import Loudness
from understudy.cli.plain_text import plain
from understudy.cli.progress import interrupts_beside, progress_on
from understudy.cli.settings_help import own_runs
from understudy.cli.words import told_apart
from understudy.core.errors import UsageError
from understudy.core.overrides import parse_overrides
from understudy.core.shipped import shipped_names
from understudy.results.evaluation_screen import show_evaluation


def stage_command(
    stage: str,
    words: Sequence[str],
    *,
    runs: Path,
    name: str | None,
    out: Path | None,
    loudness: Loudness,
) -> int:
    """Runs a stage with a recipe's settings, or with the defaults where none is asked for.

    Args:
        stage: Which one.
        words: A recipe, directories of finished runs, and `key=value`, in any order.
        runs: Root of all runs.
        name: Name of the run.
        out: The run's folder.
        loudness: How much to tell.

    Raises:
        UnderstudyError: Anything that a user can cause or meet.
    """
    told = told_apart(words, recipes=shipped_names(stage))
    lost = [word for word in told.settings if "=" not in word]
    if lost and own_runs(stage) is not None:
        raise UsageError(f"{lost[0]}: no such folder, and not `key=value`.")
    given = parse_overrides(told.settings)
    given |= _runs(stage, told.runs, beside=given)
    with progress_on(sys.stderr, loudness) as progress:
        launched = verbs.done(
            stage,
            told.recipe,
            given,
            asked_by="command line",
            runs=runs,
            name=name,
            out=out,
            progress=progress,
            interrupts=interrupts_beside(progress),
        )
    if stage == "evaluate":
        show_evaluation(launched.summary, Console(highlight=False))
    print(plain(str(launched.run.path)))
    return 0


def _runs(stage: str, places: Sequence[str], *, beside: Mapping[str, Any]) -> dict[str, Any]:
    """The setting that directories among the words stand for.

    Raises:
        UsageError: The stage works on no run, or on one and several are given, or the setting is
            given too.
    """
    if not places:
        return {}
    takes = own_runs(stage)
    if takes is None:
        raise UsageError(
            f"`understudy {stage}` starts from images and not from a run; {places[0]} is a folder. "
            f"Images are named with `data={places[0]}`."
        )
    twice = [key for key in beside if key.split(".")[0] == takes.key]
    if twice:
        raise UsageError(f"`{twice[0]}=` and {places[0]} name the same setting; give one of them.")
    if len(places) > 1 and not takes.takes_several:
        raise UsageError(f"`understudy {stage}` takes one run; found {', '.join(places)}.")
    return {takes.key: list(places) if takes.takes_several else places[0]}
