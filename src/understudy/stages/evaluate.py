"""Evaluate finished classifiers side by side on the test split, which nothing else ever reads."""

from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from pydantic import Field

from understudy.core.files import make_folder, write_bytes
from understudy.core.run import Run
from understudy.core.settings import RunPath
from understudy.data.pack import Pack
from understudy.data.splits import split
from understudy.evaluation.accuracy import accuracy
from understudy.evaluation.agreement import agreement
from understudy.evaluation.calibration import calibration
from understudy.stages.costs import cost_of
from understudy.stages.material import DataSettings, Indices
from understudy.stages.observers import logits_on
from understudy.stages.restore import Slot, classifier, same_classes
from understudy.stages.training import parent_identity

Logits = NDArray[np.float32]


class EvaluateSettings(DataSettings):
    """Evaluate finished classifiers side by side."""

    stage: Literal["evaluate"] = "evaluate"
    models: Annotated[tuple[RunPath, ...], Field(min_length=1)]
    """Runs of finished trainings that hold classifiers."""
    on: Literal["test", "val"] = "test"
    """The split to evaluate on. Look at "val" as often as you like, at "test" once."""


def evaluate(settings: EvaluateSettings, pack: Pack, run: Run) -> dict[str, Any]:
    """Evaluates the last and the best checkpoint of every model.

    Returns:
        The summary.
    """
    splits = split(pack, settings.split)
    images: Indices = splits.test if settings.on == "test" else splits.val
    run.progress.begin(f"{run.stage} {run.name}", 2 * len(settings.models))
    answers = {
        (path, slot): _answers(path, slot, pack, images, settings, run)
        for path in settings.models
        for slot in _slots(path)
    }
    evaluations = [
        _evaluation(path, slot, logits, answers, pack, images, run)
        for (path, slot), logits in answers.items()
    ]
    run.progress.end(f"{len(evaluations)} checkpoints on {len(images):,} images")

    return {
        "split": settings.on,
        "images": len(images),
        "classes": list(pack.classes),
        "evaluations": evaluations,
        "parents": {
            f"models[{position}]": parent_identity(path)
            for position, path in enumerate(settings.models)
        },
        "pack": pack.key,
    }


def _slots(path: Path) -> tuple[Slot, ...]:
    return ("last", "best") if (path / "checkpoints" / "best").exists() else ("last",)


def _answers(
    path: Path, slot: Slot, pack: Pack, images: Indices, settings: EvaluateSettings, run: Run
) -> Logits:
    """Logits of one checkpoint, [N, K]; written to the run, image by image."""
    model = classifier(path, slot)
    same_classes(model, pack.classes, path)
    network = model.network.to(settings.machine.build_device())
    logits = logits_on(network, pack, images, size=model.settings.size)
    _write_predictions(run, f"{path.name}-{slot}", logits, pack, images)
    run.progress.advance()
    return logits


def _evaluation(
    path: Path,
    slot: Slot,
    logits: Logits,
    answers: dict[tuple[Path, Slot], Logits],
    pack: Pack,
    images: Indices,
    run: Run,
) -> dict[str, Any]:
    labels = pack.labels[images]
    summary = classifier(path, slot).summary
    return {
        **parent_identity(path),
        "checkpoint": slot,
        **accuracy(logits, labels, pack.classes).as_json(),
        **calibration(logits, labels).as_json(),
        "agreement": _agreement_with_teacher(summary, logits, answers),
        **cost_of(path, run),
    }


def _agreement_with_teacher(
    summary: dict[str, Any], logits: Logits, answers: dict[tuple[Path, Slot], Logits]
) -> float | None:
    """Share of images answered as the model's teacher answers, where the teacher is here too."""
    teacher = summary["parents"].get("teacher")
    if teacher is None:
        return None
    for slot in ("best", "last"):
        for (path, kept), others in answers.items():
            if kept == slot and path.name.endswith(teacher["identity"]):
                return agreement(logits, others)
    return None


def _write_predictions(run: Run, name: str, logits: Logits, pack: Pack, images: Indices) -> None:
    table = pa.table(
        {
            "image": [pack.names[position] for position in images],
            "label": pack.labels[images],
            "logits": pa.array(list(logits), type=pa.list_(pa.float32())),
        }
    )
    stream = pa.BufferOutputStream()
    pq.write_table(table, stream)
    folder = make_folder(run.path / "predictions")
    write_bytes(folder / f"{name}.parquet", stream.getvalue().to_pybytes())
