"""Export a finished classifier as one ONNX file, checked against torch on real images."""

from typing import Any, Literal

import numpy as np

from understudy.core.environment import code_version
from understudy.core.errors import UnderstudyError
from understudy.core.run import Run
from understudy.core.settings import RunPath
from understudy.data.pack import Pack
from understudy.data.settings import DataSettings
from understudy.data.splits import split
from understudy.evaluation.exported import Exported
from understudy.evaluation.onnx_file import write_onnx
from understudy.evaluation.parity import parity
from understudy.stages.observers import pixels_of
from understudy.stages.restore import Slot, classifier, must_fit
from understudy.stages.training import parent_identity

CHECKED = 512  # images; enough to see one disagreement in five hundred


class ExportSettings(DataSettings):
    """Export a finished classifier as one ONNX file."""

    stage: Literal["export"] = "export"
    model: RunPath
    """Run of a finished training that holds a classifier."""
    checkpoint: Slot = "best"
    """Which of its checkpoints."""


def export(settings: ExportSettings, pack: Pack, run: Run) -> dict[str, Any]:
    """Writes `<name of the model's run>.onnx` and checks it on training images.

    Returns:
        The summary.
    """
    found = classifier(settings.model, settings.checkpoint)
    must_fit(found, pack, settings.model)
    name = f"{found.summary['name']}.onnx"
    run.progress.begin(f"{run.stage} {run.name}", 2)
    write_onnx(
        found.network,
        path=run.path / name,
        classes=found.classes,
        channels=found.settings.channels,
        size=found.settings.size,
        extra={
            "run": run.identity,
            "version": code_version(),
            "pack": pack.key,
            "resizing": _resizing(settings, pack, found.settings.size),
        },
    )
    run.progress.advance()

    train = split(pack, settings.split).train  # often sorted by class, so every n-th is taken
    images = train[np.linspace(0, len(train) - 1, min(CHECKED, len(train)), dtype=np.int64)]
    pixels = np.ascontiguousarray(pixels_of(pack, images, size=found.settings.size))
    try:
        checked = parity(found.network, Exported(run.path / name, threads=None), pixels)
    except UnderstudyError:
        (run.path / name).unlink()  # a file that answers otherwise must not be found
        raise
    run.progress.end(f"{run.path / name}")

    return {
        "file": name,
        "file_bytes": (run.path / name).stat().st_size,
        "parity": checked._asdict(),
        "parents": {"model": parent_identity(settings.model)},
        "pack": pack.key,
    }


def _resizing(settings: ExportSettings, pack: Pack, size: int) -> str:
    """What happened to an upright image before the pixels that the file takes; "" for nothing."""
    packed = getattr(settings.data, "size", None)
    seen = f"shorter side to {size} pixels (bilinear, antialiased), then the central square"
    steps = [
        f"shorter side to {packed} pixels (bicubic, antialiased), then the central square"
        if packed
        else "",
        seen if pack.images.shape[2:] != (size, size) else "",
    ]
    return "; then ".join(step for step in steps if step)
