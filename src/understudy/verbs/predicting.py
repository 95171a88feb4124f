"""Models, asked about images."""

from collections.abc import Sequence
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from understudy.core.errors import DataError, UsageError
from understudy.core.progress import Progress

if TYPE_CHECKING:  # it brings torch
    from understudy.stages.predict import Answer


class Predicted(NamedTuple):
    """What models say of images."""

    models: tuple[str, ...]
    """Their names."""
    answers: "tuple[Answer, ...]"
    """One for each image, in order; one that could not be read has its reason."""
    error: DataError | None
    """Names the images that could not be read, where there are any."""


def predicted(
    model: Path,
    places: Sequence[Path],
    *,
    top: int,
    teacher: bool,
    scale: float | None,
    progress: Progress,
) -> Predicted:
    """Asks a model, and perhaps its teacher, about images.

    Args:
        model: A finished training, an export, a study, or an exported file.
        places: Image files, and folders of images at any depth.
        top: How many classes to name for each image.
        teacher: Whether to ask the model's teacher too.
        scale: Of bands, what the numbers of the files are multiplied by; None: they must be those
            that the model learned from.
        progress: Where to show how far it is.

    Raises:
        UnderstudyError: The model or a place does not serve.
    """
    if top < 1:
        raise UsageError(f"--top = {top}: must be 1 or more.")
    if scale is not None and not 0 < scale < inf:
        raise UsageError(f"--scale = {scale:g}: must be a number above 0.")
    if not places:
        raise UsageError("name at least one image or folder of images behind the model.")
    model = _exported_of(model)

    from understudy.data.sources.named import named_images
    from understudy.stages import predict  # only now: it brings torch

    student = predict.asked(model)
    way = student.preparation
    images, ignored = named_images(places, suffixes=way.suffixes, apart=way.apart)
    asked = predict.with_teacher(student) if teacher else (student,)
    models = asked if scale is None else tuple(predict.scaled(one, scale) for one in asked)
    for note in [one.note for one in models if one.note]:
        progress.say(note)
    for reason, count in ignored.items():
        progress.say(f"left out {count:,} x {reason}")
    found = tuple(predict.answers(models, images, top=top, progress=progress))
    return Predicted(tuple(one.name for one in models), found, predict.refused(found))


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
