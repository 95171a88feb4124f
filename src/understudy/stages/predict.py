"""Ask finished models about image files. No run: nothing is written, nothing can be resumed."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from understudy.core.errors import DataError, StorageError, UnderstudyError, UsageError
from understudy.core.files import read_json
from understudy.core.progress import Progress
from understudy.core.run import finished_summary
from understudy.core.settings import checked
from understudy.core.types import Predict
from understudy.core.yaml import read_yaml
from understudy.data.bands.decoding import OTHER_NUMBERS
from understudy.data.decode import Content, UnreadableImageError
from understudy.data.meaning import pack_under
from understudy.data.pack import Pack, stored_pack
from understudy.data.packing import strict_and_quiet
from understudy.data.settings import DataSettings
from understudy.data.sources.named import NamedImage
from understudy.data.splits import split
from understudy.evaluation.exported import Exported
from understudy.evaluation.predict import Predictor
from understudy.evaluation.preparation import Preparation
from understudy.evaluation.temperature import NONE, Temperature, softmax
from understudy.stages.calibrating import temperature_of
from understudy.stages.lineage import parent_place
from understudy.stages.preparing import preparation_for
from understudy.stages.restore import Restored, Slot, classifier

BATCH = 64  # images in memory at once
SCALED = (
    "`--scale` takes the numbers of files to those that a model learned from: 1 if they are the "
    "same, 10000 for reflectances from 0 to 1 if it knows 10,000 as 1."
)
EXPORTED = ".onnx"
INT8 = ".int8.onnx"


class Asked(NamedTuple):
    """A model that can be asked about image files."""

    name: str
    """As tables call it: its file, or its run's name."""
    classes: tuple[str, ...]
    preparation: Preparation
    temperature: float
    predict: Predict
    note: str = ""
    """What the person should know of its answers."""
    run: Path | None = None
    """Where it was trained, as far as that is known."""


class Answer(NamedTuple):
    """What the models say of one image."""

    image: str
    shares: tuple[tuple[tuple[str, float], ...], ...]
    """For each model its likeliest classes with their calibrated probabilities, best first."""
    problem: str = ""
    """Why there is no answer; "" where there is one."""


def asked(model: Path) -> Asked:
    """The model that a person means by a path.

    Args:
        model: A finished training's folder, an export's folder, or an exported file.

    Raises:
        UsageError: It is nothing of the kind.
        StorageError: It is damaged.
    """
    if model.suffix == EXPORTED and not model.is_dir():
        return of_file(model)
    if (model / "config.yaml").exists():
        summary = finished_summary(model)
        return of_file(model / summary["file"]) if "file" in summary else of_run(model, "best")
    files = sorted(path for path in model.glob(f"*{EXPORTED}") if not path.name.endswith(INT8))
    if len(files) == 1:  # an export's folder that was handed on without its record
        return of_file(files[0])
    if not model.exists():
        raise UsageError(f"{model}: does not exist. Name a finished run, or an exported file.")
    finished_summary(model)  # refuses, and says why
    raise AssertionError("A folder without config.yaml is refused.")


def of_file(path: Path) -> Asked:
    """The model in an exported file."""
    exported = Exported(path, threads=None)
    return Asked(
        name=path.name,
        classes=exported.classes,
        preparation=exported.preparation,
        temperature=exported.temperature,
        predict=exported.predict,
        run=_trained(path),
    )


def of_run(run: Path, slot: Slot) -> Asked:
    """The network of a finished training, calibrated where its images are still packed."""
    found = classifier(run, slot)
    pack = stored_pack(
        str(found.summary.get("pack", "")), shared=run.resolve().parents[1] / "shared"
    )
    temperature = _temperature(run, found, pack)
    return Asked(
        name=str(found.summary["name"]),
        classes=found.classes,
        preparation=_preparation(run, found, pack),
        temperature=temperature.value,
        predict=Predictor(found.network),
        note="" if temperature.labels else f"{run}: {_uncalibrated(pack)}",
        run=run,
    )


def with_teacher(student: Asked) -> tuple[Asked, Asked]:
    """A student, and the teacher that it learned from.

    Raises:
        UsageError: It had none, or the teacher's run is gone.
    """
    summary = finished_summary(student.run) if student.run else {}
    told = summary.get("parents", {}).get("teacher")
    if student.run is None or told is None:
        raise UsageError(
            f"{student.name}: no teacher of it is known here. Name the run of a distillation, or "
            "an export that lies among its runs."
        )
    place = parent_place(student.run, "teacher")
    if place is None:
        raise UsageError(f"{student.run}: its teacher {told['run']} is gone.")
    return student, of_run(place, told["checkpoint"])._replace(name="teacher")


def scaled(model: Asked, scale: float) -> Asked:
    """The same model for files of bands whose numbers are to be multiplied by something first.

    Raises:
        UsageError: It takes photographs, or does not tell which numbers it learned from.
    """
    return model._replace(preparation=model.preparation.scaled(scale, origin=model.name))


def answers(
    models: Sequence[Asked], images: Sequence[NamedImage], *, top: int, progress: Progress
) -> Iterator[Answer]:
    """Every image's answers, in order; one that cannot be read has its reason instead.

    Args:
        models: Which to ask.
        images: About which files.
        top: How many classes to name.
        progress: Where to show how far it is.
    """
    progress.begin("predict", len(images))
    with strict_and_quiet():
        for first in range(0, len(images), BATCH):
            yield from _of_batch(models, images[first : first + BATCH], top)
            progress.advance(len(images[first : first + BATCH]))
    progress.end(f"{len(images):,} images")


def _of_batch(models: Sequence[Asked], images: Sequence[NamedImage], top: int) -> list[Answer]:
    contents = [_content(image) for image in images]
    problems = {place: text for place, text in enumerate(contents) if isinstance(text, str)}
    shares: list[dict[int, tuple[tuple[str, float], ...]]] = []
    for model in models:
        prepared: dict[int, torch.Tensor] = {}
        for place, content in enumerate(contents):
            if isinstance(content, str) or place in problems:
                continue
            try:
                prepared[place] = model.preparation.prepared(content, name=images[place].name)
            except UnreadableImageError as error:
                problems[place] = f"{error.reason} ({error.detail})"
        shares.append(_shares(model, prepared, top))
    return [
        Answer(image.name, (), problems[place])
        if place in problems
        else Answer(image.name, tuple(found[place] for found in shares))
        for place, image in enumerate(images)
    ]


def _content(image: NamedImage) -> Content | str:
    try:
        return image.content() if image.patch or image.path.is_file() else "not a file"
    except OSError as error:
        return f"unreadable ({error.strerror})"


def _shares(
    model: Asked, prepared: Mapping[int, torch.Tensor], top: int
) -> dict[int, tuple[tuple[str, float], ...]]:
    if not prepared:
        return {}
    logits: NDArray[np.float32] = model.predict(torch.stack(list(prepared.values()))).numpy()
    found = softmax(logits, temperature=model.temperature)
    best = np.argsort(-found, axis=1, kind="stable")[:, :top]
    return {
        place: tuple((model.classes[one], float(found[row, one])) for one in best[row])
        for row, place in enumerate(prepared)
    }


def _temperature(run: Path, found: Restored, pack: Pack | None) -> Temperature:
    if pack is None or "split" not in found.summary:
        return NONE
    settings = _images(run)
    seen = pack_under(settings, pack)
    return temperature_of(run, found, seen, split(seen, settings.split))


def _uncalibrated(pack: Pack | None) -> str:
    why = "its packed images are gone" if pack is None else "it has read no validation label"
    return f"probabilities are not calibrated, for {why}"


def _preparation(run: Path, found: Restored, pack: Pack | None) -> Preparation:
    settings = _images(run)
    height = int(pack.images.shape[2]) if pack is not None else found.settings.size
    return preparation_for(settings, found, packed=height)


def _images(run: Path) -> DataSettings:
    """Which images a run saw, and what they were called."""
    written = read_yaml(run / "config.yaml").get("settings", {})
    own = {key: value for key, value in written.items() if key in DataSettings.model_fields}
    return checked(DataSettings, own, origin=str(run))


def _trained(file: Path) -> Path | None:
    """The run that was exported into a file, where the export's record lies beside the file."""
    try:
        summary = read_json(file.parent / "summary.json")
        is_its = isinstance(summary, dict) and str(summary.get("file", "")) == file.name
        return parent_place(file.parent, "model") if is_its else None
    except (OSError, StorageError, UnderstudyError):
        return None


def refused(answers: Sequence[Answer]) -> DataError | None:
    """The error that lists every image without an answer; None where all have one."""
    bad = [answer for answer in answers if answer.problem]
    if not bad:
        return None
    return DataError(
        "\n".join(
            [
                f"{len(bad)} of {len(answers)} images could not be read; the others were answered.",
                *(f"  {answer.image}: {answer.problem}" for answer in bad),
                *([SCALED] if any(one.problem.startswith(OTHER_NUMBERS) for one in bad) else []),
            ]
        )
    )
