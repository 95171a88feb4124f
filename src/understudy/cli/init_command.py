"""`understudy init`: a study to start from, for the images that are there."""

import sys
from collections.abc import Sequence
from pathlib import Path

from understudy import verbs
from understudy.cli.loudness import Loudness
from understudy.cli.plain_text import plain
from understudy.cli.progress import interrupts_beside, progress_on
from understudy.core.overrides import parse_overrides


def init_command(
    images: Path,
    words: Sequence[str],
    *,
    out: Path | None,
    force: bool,
    measure: bool,
    runs: Path,
    loudness: Loudness,
) -> None:
    """Writes the study and says what to do with it.

    Raises:
        UnderstudyError: Anything that a user can cause or meet.
    """
    with progress_on(sys.stderr, loudness) as progress:
        place = verbs.started(
            images,
            parse_overrides(words),
            out=out,
            force=force,
            measure=measure,
            runs=runs,
            progress=progress,
            interrupts=interrupts_beside(progress),
        )
    print(plain(str(place)))
