"""`understudy check-data`: everything about a set of images before anything is trained on it."""

import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from understudy import verbs
from understudy.cli.loudness import Loudness
from understudy.cli.plain_text import plain
from understudy.cli.progress import interrupts_beside, progress_on
from understudy.core.errors import DataError
from understudy.core.files import make_folder, write_json
from understudy.core.overrides import parse_overrides
from understudy.results.check_screen import show_check


def check_command(
    path: str,
    words: Sequence[str],
    *,
    runs: Path,
    html: Path | None,
    json_file: Path | None,
    loudness: Loudness,
) -> int:
    """Checks the images and shows what was found.

    Returns:
        0 where a training may start, else the code of the error with which it would stop.

    Raises:
        UnderstudyError: The images cannot be looked at.
    """
    with progress_on(sys.stderr, loudness) as progress:
        check = verbs.images_checked(
            path,
            parse_overrides(words),
            asked_by="check-data",
            runs=runs,
            progress=progress,
            interrupts=interrupts_beside(progress),
        )
    found = check.as_json(most=None)
    show_check(found, title=path or "the images", console=Console(highlight=False))
    if json_file:
        make_folder(json_file.parent)
        write_json(json_file, found)
        print(plain(f"\nFound:  {json_file}"))
    if html:
        from understudy.results.check_page import write_check_page  # only now: it brings plotly

        write_check_page(found, title=Path(path).name or "Images", path=html)
        print(plain(f"\nReport: {html}"))
    return DataError.exit_code if check.errors else 0
