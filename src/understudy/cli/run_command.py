"""`understudy run`: a study, planned and carried out."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from rich.console import Console

from understudy import verbs
from understudy.cli.loudness import Loudness
from understudy.cli.plain_text import plain
from understudy.cli.progress import interrupts_beside, progress_on
from understudy.cli.report_command import show_as
from understudy.cli.study_help import changed
from understudy.core.overrides import parse_overrides


def run_command(
    asked: str,
    words: Sequence[str],
    *,
    dry_run: bool,
    workers: int | Literal["auto"],
    on: str,
    cpus: float,
    gpus: float | None,
    runs: Path,
    loudness: Loudness,
) -> int:
    """Runs a study, or prints its plan.

    Raises:
        UnderstudyError: Anything that a user can cause or meet.
    """
    plan = verbs.planned(asked, parse_overrides(words), must_be_at_hand=not dry_run)
    if dry_run:
        told = verbs.told(plan, runs=runs, on=on, workers=workers, cpus=cpus, gpus=gpus)
        print("\n".join([*changed(plan.study), *map(plain, told)]))
        return 0

    with progress_on(sys.stderr, loudness) as progress:
        outcome = verbs.carried_out(
            plan,
            runs=runs,
            on=on,
            workers=workers,
            cpus=cpus,
            gpus=gpus,
            progress=progress,
            interrupts=interrupts_beside(progress),
        )
    show_as(loudness, outcome.record, Console(highlight=False))
    print(plain(f"\nReport: {outcome.folder / 'report.html'}"))
    for model in outcome.models:
        print(plain(f"Model:  {model}"))
    return outcome.exit_code
