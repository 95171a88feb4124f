"""`understudy check-data`: everything about a set of images before anything is trained on it."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from understudy.cli.plain_text import plain
from understudy.cli.progress import progress_on
from understudy.core.errors import DataError, UsageError
from understudy.core.files import make_folder, write_json
from understudy.core.interrupts import Interrupts
from understudy.core.overrides import overlaid, parse_overrides, with_data_path
from understudy.core.settings import checked
from understudy.data.opening import open_checked
from understudy.data.settings import DataSettings
from understudy.results.check_screen import show_check
from understudy.studies.study import read_study

LIKE = "few-labels"
"""The study whose images these are, so that it finds them packed."""
ORIGIN = "check-data"


def check_command(
    path: str, words: Sequence[str], *, runs: Path, html: Path | None, json_file: Path | None
) -> int:
    """Checks the images and shows what was found.

    Returns:
        0 where a training may start, else the code of the error with which it would stop.

    Raises:
        UnderstudyError: The images cannot be looked at.
    """
    settings = checked(DataSettings, _asked(path, words), ORIGIN)
    interrupts = Interrupts()
    with progress_on(sys.stderr) as progress, interrupts.listening():
        opened = open_checked(settings, runs=runs, shared=runs / "shared", progress=progress)
        found = opened.check.as_json(most=None)
    show_check(found, title=path or "the images", console=Console(highlight=False))
    if json_file:
        make_folder(json_file.parent)
        write_json(json_file, found)
        print(plain(f"\nFound:  {json_file}"))
    if html:
        from understudy.results.check_page import write_check_page  # only now: it brings plotly

        write_check_page(found, title=Path(path).name or "Images", path=html)
        print(plain(f"\nReport: {html}"))
    return DataError.exit_code if opened.check.errors else 0


def _asked(path: str, words: Sequence[str]) -> dict[str, Any]:
    """The settings of images and split: those of the main job, with the words laid over them."""
    given = {
        key if key.split(".")[0] in DataSettings.model_fields else f"data.{key}": value
        for key, value in with_data_path(parse_overrides(words)).items()
    }
    if path:
        given = {"data.path": path, **given}
    if not {"data", "data.path", "data.kind"} & given.keys():
        raise UsageError("say which images: `understudy check-data PATH`.")
    parameters = read_study(LIKE).parameters
    base = {key: parameters[key] for key in DataSettings.model_fields}
    return overlaid(base, given, origin=ORIGIN)
