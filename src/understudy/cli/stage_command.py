"""`understudy train` and the other stages: one run from a recipe."""

import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from understudy import verbs
from understudy.cli.loudness import Loudness
from understudy.cli.plain_text import plain
from understudy.cli.progress import interrupts_beside, progress_on
from understudy.core.overrides import parse_overrides
from understudy.results.evaluation_screen import show_evaluation


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
    with progress_on(sys.stderr, loudness) as progress:
        launched = verbs.done(
            stage,
            asked,
            parse_overrides(words),
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
