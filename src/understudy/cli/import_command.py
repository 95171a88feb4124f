"""`understudy import`: weights of others become a finished run."""

import sys
from collections.abc import Sequence
from pathlib import Path

from understudy import verbs
from understudy.cli.loudness import Loudness
from understudy.cli.plain_text import plain
from understudy.cli.progress import interrupts_beside, progress_on
from understudy.core.overrides import parse_overrides


def import_command(
    file: Path,
    words: Sequence[str],
    *,
    network: str,
    projector: bool,
    runs: Path,
    name: str | None,
    out: Path | None,
    loudness: Loudness,
) -> int:
    """Imports a ResNet from a file of weights, and prints its run.

    Raises:
        UnderstudyError: Anything that a user can cause or meet.
    """
    given = parse_overrides(words)
    with progress_on(sys.stderr, loudness) as progress:
        launched = verbs.brought(
            file,
            given,
            network=network,
            projector=projector,
            asked_by="import",
            runs=runs,
            name=name,
            out=out,
            progress=progress,
            interrupts=interrupts_beside(progress),
        )
    print(plain(str(launched.run.path)))
    return 0
