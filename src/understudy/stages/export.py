"""Export a finished classifier as one ONNX file that is checked, described and ready to hand on."""

import os
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from pydantic import NonNegativeInt

from understudy.core.environment import code_version
from understudy.core.errors import DivergedError, UsageError
from understudy.core.files import storage_errors, write_text
from understudy.core.run import Run, finished_summary
from understudy.core.settings import RunPath
from understudy.data.pack import Pack
from understudy.data.settings import DataSettings
from understudy.data.splits import Splits, split
from understudy.engine.machine import describe, instructions
from understudy.evaluation import standalone_scripts
from understudy.evaluation.exported import Exported
from understudy.evaluation.int8 import quantiser
from understudy.evaluation.onnx_file import write_onnx
from understudy.evaluation.parity import Parity, parity
from understudy.evaluation.preparation import Preparation
from understudy.evaluation.temperature import Temperature
from understudy.stages.calibrating import temperature_of, validation_labels
from understudy.stages.card import Card, Evaluated
from understudy.stages.golden import write_golden
from understudy.stages.lineage import lineage
from understudy.stages.material import SPLITS
from understudy.stages.model_card import written
from understudy.stages.observers import pixels_of
from understudy.stages.preparing import preparation_for
from understudy.stages.quantising import Judgement, judged, quantised, spread
from understudy.stages.restore import Restored, Slot, classifier, must_fit
from understudy.stages.training import parent_identity

CHECKED = 512  # images; enough to see one disagreement in five hundred


class ExportSettings(DataSettings):
    """Export a finished classifier as one ONNX file, with a model card and a script beside it."""

    keeps_check: ClassVar[bool] = False
    """Its folder is handed on, and images that must not leave do not."""
    stage: Literal["export"] = "export"
    model: RunPath
    """Run of a finished training that holds a classifier."""
    checkpoint: Slot = "best"
    """Which of its checkpoints."""
    evaluation: RunPath | None = None
    """Run of a finished evaluation of this model, for the numbers of the model card."""
    golden: NonNegativeInt = 16
    """How many training images to lay beside the file, with the answers that belong to them; 0
    where images must not leave."""
    int8: bool = False
    """Whether to write a second file in eight bits, made from training images and compared."""


def export(settings: ExportSettings, pack: Pack, run: Run) -> dict[str, Any]:
    """Writes `<name of the model's run>.onnx`, checks it on training images, and describes it.

    Returns:
        The summary.
    """
    found = classifier(settings.model, settings.checkpoint)
    must_fit(found, pack, settings.model)
    evaluated = _evaluated(settings, found)
    if settings.int8:
        quantiser()  # refuses now, not after the export
    splits = split(pack, settings.split)
    run.progress.begin(f"{run.stage} {run.name}", 4 if settings.int8 else 3)

    temperature = temperature_of(settings.model, found, pack, splits)
    prepared = preparation_for(
        settings, found, packed=int(pack.images.shape[2]), numbers=pack.numbers
    )
    file = run.path / f"{found.summary['name']}.onnx"
    checked = _written(file, found, pack, splits, temperature, prepared, run)
    run.progress.advance()
    golden = _golden(settings, found, pack, splits, temperature, prepared, run)
    run.progress.advance()
    int8 = run.path / f"{file.stem}.int8.onnx"
    judgement = _int8(file, int8, settings, found, pack, splits, run) if settings.int8 else None
    scripts = standalone_scripts(
        with_check=bool(golden["images"]), of_bands=bool(found.settings.bands)
    )
    for script in scripts:
        write_text(run.path / script.name, script.read_text(encoding="utf-8"))
    card = Card(
        file=file.name,
        sha256=sha256(file.read_bytes()).hexdigest(),
        classes=found.classes,
        channels=found.settings.channels,
        preparation=prepared,
        temperature=temperature,
        checkpoint=found.slot,
        line=lineage(settings.model),
        source=settings.data.kind,
        pack=pack.key,
        splits={name: len(getattr(splits, name)) for name in SPLITS},
        notes=splits.notes,
        evaluated=evaluated,
        parity=checked._asdict(),
        golden=golden,
        int8=judgement,
        int8_file=int8.name,
        file_bytes=file.stat().st_size,
        machine={**describe(torch.device("cpu")), "instructions": instructions()},
        version=code_version(),
        bands=found.settings.bands,
        depth=found.settings.depth,
    )
    write_text(run.path / "README.md", written(card))
    run.progress.end(f"{file}")

    return {
        "file": file.name,
        "file_bytes": card.file_bytes,
        "sha256": card.sha256,
        "checkpoint": found.slot,
        "parity": card.parity,
        "temperature": temperature.as_json(),
        "golden": golden,
        "int8": {"file": int8.name, **judgement.as_json()} if judgement else None,
        "parents": _parents(settings),
        "pack": pack.key,
    }


def _written(
    file: Path,
    found: Restored,
    pack: Pack,
    splits: Splits,
    temperature: Temperature,
    preparation: Preparation,
    run: Run,
) -> Parity:
    """Writes the file under its name once it is seen to answer as the network does.

    Until then it is called as the next attempt would clear it away.

    Raises:
        DivergedError: It answers otherwise, or names other classes.
    """
    unchecked = file.with_name(f".{file.name}.partial")
    try:
        write_onnx(
            found.network,
            path=unchecked,
            classes=found.classes,
            channels=found.settings.channels,
            size=found.settings.size,
            temperature=temperature.value,
            preparation=preparation,
            depth=found.settings.depth,
            bands=found.settings.bands,
            extra={"run": run.identity, "version": code_version(), "pack": pack.key},
        )
        run.progress.advance()
        exported = Exported(unchecked, threads=None)
        must_name(exported, found)
        images = spread(splits.train, CHECKED)
        pixels = np.ascontiguousarray(pixels_of(pack, images, size=found.settings.size))
        checked = parity(found.network, exported, pixels)
        with storage_errors(file):
            os.replace(unchecked, file)
    finally:
        unchecked.unlink(missing_ok=True)
    return checked


def must_name(exported: Exported, found: Restored) -> None:
    """Compares the class names in a file with those of its network.

    Raises:
        DivergedError: They are others, or in another order.
    """
    if exported.classes != found.classes:
        raise DivergedError(
            f"The exported file names its outputs {', '.join(exported.classes[:5])}, ..., the "
            f"network {', '.join(found.classes[:5])}, ... Do not use the file: export again."
        )


def _int8(
    file: Path,
    int8: Path,
    settings: ExportSettings,
    found: Restored,
    pack: Pack,
    splits: Splits,
    run: Run,
) -> Judgement:
    size = found.settings.size
    seen = quantised(file, path=int8, pack=pack, splits=splits, size=size)
    must_name(Exported(int8, threads=1), found)
    judgement = judged(
        int8,
        file,
        calibrated_on=seen,
        pack=pack,
        splits=splits,
        labelled=validation_labels(settings.model, pack, splits),
        size=size,
    )
    run.progress.advance()
    return judgement


def _golden(
    settings: ExportSettings,
    found: Restored,
    pack: Pack,
    splits: Splits,
    temperature: Temperature,
    preparation: Preparation,
    run: Run,
) -> dict[str, int]:
    place = run.path / "golden.npz"
    if not settings.golden:
        place.unlink(missing_ok=True)  # of an attempt that was stopped
        return {"images": 0, "files": 0}
    return write_golden(
        place,
        network=found.network,
        temperature=temperature.value,
        preparation=preparation,
        pack=pack,
        source=settings.data,
        images=spread(splits.train, settings.golden),
    )


def _evaluated(settings: ExportSettings, found: Restored) -> Evaluated | None:
    """What the evaluation says of the very checkpoint that is exported.

    Raises:
        UsageError: It is no evaluation, or not of this model.
    """
    path = settings.evaluation
    if path is None:
        return None
    summary = finished_summary(path)
    for figures in summary.get("evaluations", ()):
        if (figures["identity"], figures["checkpoint"]) == (
            found.summary["identity"],
            found.slot,
        ):
            return Evaluated(
                f"{path.parent.name}/{path.name}",
                summary["split"],
                figures,
                leaked=summary.get("leaked", 0),
            )
    seen = ", ".join(
        f"{one['run']} ({one['checkpoint']})" for one in summary.get("evaluations", ())
    )
    raise UsageError(
        f"evaluation = {path}: tells nothing of {settings.model} ({found.slot} checkpoint). "
        f"It tells of: {seen or 'no classifier'}."
    )


def _parents(settings: ExportSettings) -> Mapping[str, Any]:
    parents = {"model": parent_identity(settings.model)}
    if settings.evaluation:
        parents["evaluation"] = parent_identity(settings.evaluation)
    return parents
