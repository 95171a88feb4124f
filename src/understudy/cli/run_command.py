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
from understudy.core.errors import UsageError
from understudy.data.sources.places import places_must_exist
from understudy.studies.configure import understood
from understudy.studies.parameters import is_around
from understudy.studies.study import Study, images_of, read_study


def run_command(
    asked: str, words: Sequence[str], *, dry_run: bool, runs: Path, loudness: Loudness
) -> int:
    """Runs a study, or prints its plan.

    Raises:
        UnderstudyError: Anything that a user can cause or meet.
    """
    study, mistakes = understood(read_study(asked), words)
    missing = [] if dry_run else _missing(study)
    if missing and not mistakes and _is_all_that_was_asked(study):
        raise UsageError(missing[0])

    from understudy.stages import STAGES  # only now: it brings torch
    from understudy.studies.plan import plan

    planned = plan(study, STAGES, mistakes=[*mistakes, *missing])
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


def _missing(study: Study) -> list[str]:
    """Places of images that are not there, a sentence for each."""
    told = []
    for data in images_of(study).values():
        try:
            places_must_exist(data)
        except UsageError as error:
            told.append(str(error))
    return told


def _is_all_that_was_asked(study: Study) -> bool:
    """Whether nothing but the images was changed, so that a plan would find no other mistake."""
    names = images_of(study)
    return not study.machine and all(
        any(is_around(name, key) for name in names) for key in study.changed
    )
