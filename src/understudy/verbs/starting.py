"""A study to start from, for the images that are there."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from understudy.core.errors import UsageError
from understudy.core.interrupts import Interrupts
from understudy.core.progress import Progress


def started(
    images: Path,
    given: Mapping[str, Any],
    *,
    out: Path | None,
    force: bool,
    measure: bool,
    runs: Path,
    progress: Progress,
    interrupts: Interrupts,
) -> Path:
    """Writes a study to start from, for the images that are there.

    Args:
        images: The folder, or the file of another source.
        given: Settings of the images by key, with or without `data.` before it.
        out: The study's file; by default named after the images, here.
        force: Whether to write over a file that is there.
        measure: Whether to measure how long the study takes, by a few steps of each training.
        runs: Where packs lie, and what is measured.
        progress: Where to show how far it is.
        interrupts: Where to ask whether a signal came.

    Returns:
        The study's file.

    Raises:
        UsageError: The file is there, or the folder is not.
        UnderstudyError: The images cannot serve.
    """
    from understudy.core.files import make_folder, storage_errors, write_text

    place = out or Path(f"{_file_name(images)}.yaml")
    if place.exists() and (not force or place.is_dir()):
        raise UsageError(
            f"{place}: is there already. Name another file with `--out`, or write over it with "
            "`--force`."
        )

    from understudy.data.survey import survey
    from understudy.studies.starting import NOT_MEASURED, found_lines, study_text, told

    found = survey(images, _of_source(given))
    for line in found_lines(found):
        progress.say(line)
    text = study_text(found, file=place, time=NOT_MEASURED)
    if measure:
        with interrupts.listening():
            took = _measured(text, runs=runs, progress=progress)
        text = study_text(found, file=place, time=told(took))
    make_folder(place.parent)
    with storage_errors(place):
        write_text(place, text)
    return place


def _of_source(given: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of the images.

    Raises:
        UsageError: Some are of something else.
    """
    from understudy.core.overrides import overlaid

    values = {key.removeprefix("data."): value for key, value in given.items()}
    others = [key for key in values if key.split(".")[0] in ("data", "path", "split")]
    if others:
        raise UsageError(
            f"{', '.join(others)}: `init` takes the images first, then settings of them alone, "
            "such as `root=FOLDER`. Write all others into the file that it makes."
        )
    return overlaid({}, values, origin="init")


def _measured(text: str, *, runs: Path, progress: Progress) -> dict[str, float]:
    """Seconds of each training of a study, by a few of its steps."""
    from understudy.studies.budget import estimated
    from understudy.studies.study import read_study

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "study.yaml"
        file.write_text(text, encoding="utf-8")
        study = read_study(str(file))
    progress.say("measuring each stage for a few steps")
    return estimated(study, runs=runs, progress=progress)


def _file_name(images: Path) -> str:
    """A plain name for the study: it names a folder of results too."""
    place = images.absolute()
    name = place.stem if place.is_file() else place.name
    return (
        "".join(one if one.isalnum() or one in "_-" else "-" for one in name).strip("-") or "study"
    )
