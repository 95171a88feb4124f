"""`understudy run`: a study, planned and carried out."""

import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from understudy.cli.loudness import Loudness
from understudy.cli.plain_text import plain
from understudy.cli.progress import progress_on
from understudy.cli.report_command import show_as
from understudy.cli.study_help import changed
from understudy.data.sources.places import places_must_exist
from understudy.studies.configure import understood
from understudy.studies.study import images_of, read_study


def run_command(
    asked: str, words: Sequence[str], *, dry_run: bool, runs: Path, loudness: Loudness
) -> int:
    """Runs a study, or prints its plan.

    Raises:
        UnderstudyError: Anything that a user can cause or meet.
    """
    study, mistakes = understood(read_study(asked), words)
    if not dry_run and not mistakes:
        for data in images_of(study):
            places_must_exist(data)

    from understudy.stages import STAGES  # only now: it brings torch
    from understudy.studies.plan import plan

    planned = plan(study, STAGES, mistakes=mistakes)
    if dry_run:
        print("\n".join([*changed(study), *map(plain, planned.lines())]))
        return 0

    from understudy.studies.local import run_study  # only now: it brings torch

    with progress_on(sys.stderr, loudness) as progress:
        outcome = run_study(study, runs=runs, progress=progress)
    show_as(loudness, outcome.record, Console(highlight=False))
    print(plain(f"\nReport: {outcome.folder / 'report.html'}"))
    for model in outcome.models:
        print(plain(f"Model:  {model}"))
    return outcome.exit_code
