"""A tiny main job on real digits: every stage in seconds, computed plainly."""

import json
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import timm
import torch
from safetensors.torch import load_file, save, save_file

from understudy.core.files import write_bytes, write_json
from understudy.core.interrupts import Interrupts
from understudy.core.progress import Silent
from understudy.stages.launch import Launched, launch

PLAIN = {"device": "cpu", "precision": "fp32", "memory_format": "contiguous", "compile": "never"}
SMALL = {"kind": "cifar_resnet", "depth": 8, "width": 0.5}
LABELS = {"per_class": 5, "validation_per_class": 5}

Launcher = Callable[..., Launched]


class Stopper(Silent):
    """Sends this process a signal when so many steps are done."""

    def __init__(self, after: int, number: int) -> None:
        self.left, self.number = after, number

    def begin(self, title: str, total: int) -> None:  # noqa: ARG002
        self.counts = "reading" not in title and "packing" not in title

    def advance(self, count: int = 1, note: str = "") -> None:  # noqa: ARG002
        if not self.counts or count != 1:  # not the steps of earlier attempts, not a mere note
            return
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), self.number)


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shared")


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="session")
def go(runs: Path, shared: Path) -> Launcher:
    """Launches a stage with small defaults; `root` puts it beside the others."""

    def launcher(
        stage: str,
        *,
        root: Path | None = None,
        out: Path | None = None,
        name: str | None = None,
        stop_after: int | None = None,
        stop_with: int = signal.SIGTERM,
        say: Callable[[str], None] | None = None,
        **settings: Any,
    ) -> Launched:
        interrupts = Interrupts()
        progress = Stopper(stop_after, stop_with) if stop_after else Silent()
        if say:
            progress.say = say  # type: ignore[method-assign, assignment]
        with interrupts.listening():
            return launch(
                stage,
                {**_defaults(stage), **settings},
                origin="test",
                name=name or stage,
                runs=root or runs,
                shared=shared,
                out=out,
                progress=progress,
                interrupts=interrupts,
            )

    return launcher


def _defaults(stage: str) -> dict[str, Any]:
    if stage in ("evaluate", "ensemble"):
        return {"machine": {"device": "cpu", "threads": 1}}
    if stage == "export":
        return {}
    if stage == "adopt":
        return {"labels": LABELS, "backbone": SMALL}
    plan: dict[str, Any] = {"steps": 12, "batch_size": 32, "observations": 3}
    common = {"machine": PLAIN, "labels": LABELS, "plan": plan}
    network = {"train": "backbone", "pretrain": "backbone", "distill": "student"}.get(stage)
    return {**common, network: SMALL} if network else common


def spoiled_copy(launched: Launched, root: Path, value: float) -> Path:
    """The run of a network that is broken, in files that are whole.

    Args:
        launched: A classifier's.
        root: A folder of runs.
        value: What its classifier's first bias becomes.
    """
    broken = root / launched.run.path.parent.name / launched.run.path.name
    shutil.copytree(launched.run.path, broken)
    for slot in ("last", "best"):
        folder = broken / "checkpoints" / slot
        if not folder.exists():
            continue
        tensors = load_file(folder / "model.safetensors")
        tensors["classifier.bias"][0] = value
        state = json.loads((folder / "state.json").read_text())
        state["sha256"]["model"] = write_bytes(folder / "model.safetensors", save(tensors))
        write_json(folder / "state.json", state)
    return broken


@pytest.fixture(scope="session")
def baseline(go: Launcher) -> Launched:
    return go("train", name="baseline")


@pytest.fixture(scope="session")
def pretrained(go: Launcher) -> Launched:
    crop = {"transforms": [{"kind": "random_resized_crop", "scale": [0.4, 1.0]}]}
    return go("pretrain", views=[crop, crop])


@pytest.fixture(scope="session")
def teacher(go: Launcher, pretrained: Launched) -> Launched:
    return go("finetune", name="teacher", start=str(pretrained.run.path))


@pytest.fixture(scope="session")
def student(go: Launcher, teacher: Launched) -> Launched:
    return go("distill", name="student", teacher=str(teacher.run.path))


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file as timm publishes its weights: with a classifier of ImageNet's 1000 classes."""
    torch.manual_seed(1)
    path = tmp_path_factory.mktemp("hub") / "model.safetensors"
    save_file(timm.create_model("test_resnet").state_dict(), path)
    return path
