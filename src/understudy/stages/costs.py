"""What an architecture costs: measured once on this machine for all runs that share it."""

from pathlib import Path
from typing import Any

import torch
from filelock import FileLock

from understudy.core.files import make_folder, read_json, write_json
from understudy.core.identity import digest
from understudy.core.run import Run
from understudy.engine.machine import describe
from understudy.evaluation.cost import cost
from understudy.evaluation.onnx_file import write_onnx
from understudy.stages.restore import restored


def cost_of(path: Path, run: Run) -> dict[str, Any]:
    """Parameters, multiply-adds, bytes and latency of a finished run's network, exported.

    Weights change none of them, so networks of one architecture share one measurement: two
    seeds cannot differ in latency by the noise of the machine.
    """
    found = restored(path, "last")
    machine = describe(torch.device("cpu"))
    key = digest({"network": found.settings.model_dump(mode="json"), "machine": machine})
    folder = make_folder(run.shared / "costs")
    record = folder / f"{key}.json"
    with FileLock(folder / f".{key}.lock"):
        if not record.exists():
            exported = folder / f"{key}.onnx"
            write_onnx(
                found.network,
                path=exported,
                classes=found.classes,
                channels=found.settings.channels,
                size=found.settings.size,
                temperature=1.0,
                preparation=None,
                extra={},
                depth=found.settings.depth,
            )
            measured = cost(
                found.network,
                channels=found.settings.channels,
                size=found.settings.size,
                exported=exported,
            )
            exported.unlink()
            write_json(record, measured._asdict())
        values: dict[str, Any] = read_json(record)
    return values
