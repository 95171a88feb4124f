"""`understudy init`: a study to start from, for the images that are there."""

import sys
from pathlib import Path

from understudy import verbs
from understudy.cli.loudness import Loudness
from understudy.cli.plain_text import plain
from understudy.cli.progress import progress_on
from understudy.core.interrupts import Interrupts


def init_command(
    images: Path, *, out: Path | None, force: bool, measure: bool, runs: Path, loudness: Loudness
) -> None:
    """Writes the study and says what to do with it.

    Raises:
        UnderstudyError: Anything that a user can cause or meet.
    """
    with progress_on(sys.stderr, loudness) as progress:
        place = verbs.started(
            images,
            out=out,
            force=force,
            measure=measure,
            runs=runs,
            progress=progress,
            interrupts=Interrupts(),
        )
    print(plain(str(place)))
