"""What understudy can be asked to do: the one path behind the command line and behind Python.

Both give values by dotted key and get typed answers; what is printed is their own affair. Modules
that take time are imported when they are needed, so that mistakes and help need not wait for them.
"""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from understudy.core.errors import DataError, UsageError
from understudy.core.interrupts import Interrupts
from understudy.core.progress import Progress

if TYPE_CHECKING:  # they bring torch, pydantic or plotly
    from understudy.data.check.check import Check
    from understudy.results.records import StudyRecord
    from understudy.stages.launch import Launched
    from understudy.stages.predict import Answer
    from understudy.studies.local import Outcome
    from understudy.studies.plan import Plan


def planned(study: str, given: Mapping[str, Any], *, must_be_at_hand: bool) -> "Plan":
    """The graph of runs of a study; nothing is read but its file.

    Args:
        study: Name of a shipped study, or path of its file.
        given: Values by dotted key: parameters, `seeds`, `scale`, `machine.*`.
        must_be_at_hand: Whether the images must be where the study says.

    Raises:
        UsageError: There is no such study, or some value is wrong; all are named.
    """
    from understudy.studies.configure import made_of
    from understudy.studies.missing import is_all_that_was_asked, missing_places
    from understudy.studies.study import read_study

    found, mistakes = made_of(read_study(study), given)
    missing = missing_places(found) if must_be_at_hand else []
    if missing and not mistakes and is_all_that_was_asked(found):
        raise UsageError(missing[0])

    from understudy.stages import STAGES  # only now: it brings torch
    from understudy.studies.plan import plan

    return plan(found, STAGES, mistakes=[*mistakes, *missing])


def carried_out(
    plan: "Plan", *, runs: Path, progress: Progress, interrupts: Interrupts
) -> "Outcome":
    """Does every run of a plan that is not finished.

    Raises:
        UnderstudyError: Anything that a user can cause or meet, but for the failure of some runs,
            which the outcome tells.
    """
    from understudy.studies.local import run_study

    return run_study(plan.study, runs=runs, progress=progress, interrupts=interrupts)


def done(
    stage: str,
    recipe: str,
    given: Mapping[str, Any],
    *,
    asked_by: str,
    runs: Path,
    name: str | None,
    out: Path | None,
    progress: Progress,
    interrupts: Interrupts,
) -> "Launched":
    """Runs a stage with a recipe's settings, or with the defaults where none is asked for.

    Args:
        stage: Which one.
        recipe: Name of a shipped recipe, or path of its file; "" for the defaults.
        given: Values by dotted key, laid over the recipe.
        asked_by: Heads the mistakes where there is no recipe.
        runs: Root of all runs.
        name: Name of the run; by default that of the recipe.
        out: The run's folder, instead of one under `runs`.
        progress: Where to show how far it is.
        interrupts: Where to ask whether a signal came.

    Raises:
        UnderstudyError: Anything that a user can cause or meet.
    """
    from understudy.core.overrides import overlaid, with_data_path
    from understudy.core.shipped import found
    from understudy.core.yaml import read_yaml
    from understudy.data.sources.places import places_must_exist

    path = found(recipe, folder=stage, what=f"{stage} recipe") if recipe else None
    origin = recipe or asked_by
    settings = overlaid(read_yaml(path) if path else {}, with_data_path(given), origin=origin)
    if all(key.split(".")[0] == "data" for key in given):  # else all mistakes come together
        places_must_exist(settings.get("data"))

    from understudy.stages.launch import launch  # only now: it brings torch

    with interrupts.listening():
        launched = launch(
            stage,
            settings,
            origin=origin,
            name=name or (path.stem if path else stage),
            runs=runs,
            shared=runs / "shared",
            out=out,
            progress=progress,
            interrupts=interrupts,
        )
    if launched.was_skipped:
        progress.say("Nothing new to do: this run was finished before.")
    return launched


def reported(
    place: Path, *, html: Path | None, csv: Path | None, markdown: Path | None
) -> "StudyRecord":
    """Reads what runs are worth, and writes the pages and rows that are asked for.

    Raises:
        UnderstudyError: There is nothing to report, or the disk refuses.
    """
    from understudy.core.files import make_folder
    from understudy.results.csv_file import write_csv
    from understudy.results.find import find
    from understudy.results.markdown import write_markdown
    from understudy.results.report import write_report
    from understudy.results.rows import rows_of

    record = find(place)
    if csv:
        make_folder(csv.parent)
        write_csv(rows_of(record), csv)
    if html:
        write_report(record, html)
    if markdown:
        write_markdown(record, markdown)
    return record


LIKE = "few-labels"
"""The study whose images `check-data` looks at, so that a run afterwards finds them packed."""


def images_checked(
    place: str,
    given: Mapping[str, Any],
    *,
    asked_by: str,
    runs: Path,
    progress: Progress,
    interrupts: Interrupts,
) -> "Check":
    """Looks at every image, and tells all that stands against training on them.

    Args:
        place: The folder, or the table; "" where `given` says which images.
        given: Values by dotted key, under `data.` and `split.`; those of `data.` also without it.
        asked_by: Heads the mistakes.
        runs: Where packs lie.
        progress: Where to show how far it is.
        interrupts: Where to ask whether a signal came.

    Raises:
        UnderstudyError: The images cannot be looked at.
    """
    from understudy.core.overrides import overlaid, with_data_path
    from understudy.core.settings import checked
    from understudy.data.opening import open_checked
    from understudy.data.settings import DataSettings
    from understudy.studies.study import read_study

    values = {
        key if key.split(".")[0] in DataSettings.model_fields else f"data.{key}": value
        for key, value in with_data_path(given).items()
    }
    if place:
        values = {"data.path": place, **values}
    if not {"data", "data.path", "data.kind"} & values.keys():
        raise UsageError("say which images: `understudy check-data PATH`.")
    parameters = read_study(LIKE).parameters
    base = {key: parameters[key] for key in DataSettings.model_fields}
    settings = checked(DataSettings, overlaid(base, values, origin=asked_by), asked_by)
    with interrupts.listening():
        opened = open_checked(settings, runs=runs, shared=runs / "shared", progress=progress)
    return opened.check


def predicted(
    model: Path, places: Sequence[Path], *, top: int, teacher: bool, progress: Progress
) -> "Predicted":
    """Asks a model, and perhaps its teacher, about images.

    Args:
        model: A finished training, an export, a study, or an exported file.
        places: Image files, and folders of images at any depth.
        top: How many classes to name for each image.
        teacher: Whether to ask the model's teacher too.
        progress: Where to show how far it is.

    Raises:
        UnderstudyError: The model or a place does not serve.
    """
    if top < 1:
        raise UsageError(f"--top = {top}: must be 1 or more.")
    if not places:
        raise UsageError("name at least one image or folder of images behind the model.")
    model = _exported_of(model)

    from understudy.data.sources.named import named_images
    from understudy.stages import predict  # only now: it brings torch

    images, ignored = named_images(places)
    student = predict.asked(model)
    models = predict.with_teacher(student) if teacher else (student,)
    for note in [one.note for one in models if one.note]:
        progress.say(note)
    for reason, count in ignored.items():
        progress.say(f"left out {count:,} x {reason}")
    found = tuple(predict.answers(models, images, top=top, progress=progress))
    return Predicted(tuple(one.name for one in models), found, predict.refused(found))


class Predicted(NamedTuple):
    """What models say of images."""

    models: tuple[str, ...]
    """Their names."""
    answers: "tuple[Answer, ...]"
    """One for each image, in order; one that could not be read has its reason."""
    error: DataError | None
    """Names the images that could not be read, where there are any."""


def _exported_of(place: Path) -> Path:
    """The model that a study exported, where the place is a study's folder; else the place itself.

    Raises:
        UsageError: The study exported none, or several.
    """
    from understudy.results.records import read_study as read_results

    if not (place / "study.json").exists():
        return place
    found = [entry.run.path for entry in read_results(place).having("file")]
    if len(found) == 1:
        return found[0]
    listed = "".join(f"\n  {path}" for path in found)
    raise UsageError(
        f"{place}: this study exported {len(found) or 'no'} models. "
        + (f"Name one of them:{listed}" if found else "Name a finished training instead.")
    )


def started(
    images: Path,
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
        out: The study's file; by default named after the folder, here.
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

    found = survey(images)
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


def _measured(text: str, *, runs: Path, progress: Progress) -> dict[str, float]:
    """Seconds of each training of a study, by a few of its steps."""
    from understudy.studies.budget import trials_of
    from understudy.studies.study import read_study

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "study.yaml"
        file.write_text(text, encoding="utf-8")
        study = read_study(str(file))
    progress.say("measuring each stage for a few steps")
    costs = trials_of(study, runs=runs, progress=progress)
    return {stage: cost.seconds for stage, cost in costs.items()}


def _file_name(images: Path) -> str:
    """A plain name for the study: it names a folder of results too."""
    name = images.absolute().name
    return (
        "".join(one if one.isalnum() or one in "_-" else "-" for one in name).strip("-") or "study"
    )
