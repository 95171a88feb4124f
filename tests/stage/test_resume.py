import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from understudy.core.errors import InterruptedRunError
from understudy.stages.launch import Launched

Launcher = Callable[..., Launched]

CASES: dict[str, dict[str, Any]] = {
    "sgd": {"plan": {"steps": 20, "batch_size": 32, "observations": 4}},
    "adamw with a moving average": {
        "plan": {
            "steps": 20,
            "batch_size": 32,
            "observations": 4,
            "optimizer": {"kind": "adamw"},
            "average": 0.9,
        }
    },
    "lars, clipped": {
        "plan": {
            "steps": 20,
            "batch_size": 32,
            "observations": 4,
            "optimizer": {"kind": "lars"},
            "max_norm": 1.0,
        }
    },
    "channels_last, sgd": {
        "plan": {"steps": 20, "batch_size": 32, "observations": 4},
        "machine": {"device": "cpu", "precision": "fp32", "memory_format": "channels_last"},
    },
    "channels_last, adamw": {
        "plan": {
            "steps": 20,
            "batch_size": 32,
            "observations": 4,
            "optimizer": {"kind": "adamw"},
        },
        "machine": {"device": "cpu", "precision": "bf16", "memory_format": "channels_last"},
    },
    "augmented": {
        "plan": {"steps": 20, "batch_size": 32, "observations": 4},
        "views": [
            {"transforms": [{"kind": "random_resized_crop"}, {"kind": "gaussian_blur"}]},
        ],
    },
}


def weights(launched: Launched) -> dict[str, torch.Tensor]:
    return load_file(launched.run.path / "checkpoints" / "last" / "model.safetensors")


def log(launched: Launched) -> list[dict[str, Any]]:
    lines = (launched.run.path / "metrics.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def validations(launched: Launched) -> list[dict[str, Any]]:
    return [record for record in log(launched) if record["phase"] == "validation"]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_an_interrupted_run_ends_with_the_same_weights_bit_for_bit(
    case: str, go: Launcher, tmp_path: Path
) -> None:
    settings = CASES[case]
    whole = go("train", root=tmp_path / "whole", **settings)
    for stop_after in (7, 6):
        with pytest.raises(InterruptedRunError):
            go("train", root=tmp_path / "parts", stop_after=stop_after, **settings)
    parts = go("train", root=tmp_path / "parts", **settings)

    assert not parts.was_skipped
    one, other = weights(whole), weights(parts)
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert validations(whole) == validations(parts)
    assert whole.summary["checkpoints"] == parts.summary["checkpoints"]


def test_a_distillation_resumes_bit_for_bit(
    go: Launcher, teacher: Launched, tmp_path: Path
) -> None:
    settings = {"teacher": str(teacher.run.path)}
    whole = go("distill", root=tmp_path / "whole", **settings)
    with pytest.raises(InterruptedRunError):
        go("distill", root=tmp_path / "parts", stop_after=5, **settings)

    parts = go("distill", root=tmp_path / "parts", **settings)

    one, other = weights(whole), weights(parts)
    assert all(torch.equal(one[name], other[name]) for name in one)


CROP = {"transforms": [{"kind": "random_resized_crop", "scale": [0.4, 1.0]}]}
PRETRAININGS: dict[str, dict[str, Any]] = {
    "byol": {},
    "moco": {"terms": [{"kind": "info_nce", "queue": 100}]},  # it wraps
    "simsiam": {},
    "barlow_twins": {},
    "vicreg": {},
    "swav": {
        "terms": [
            {"kind": "swapped_assignment", "prototypes": 20, "queue": 100, "queue_after": 0.5}
        ]
    },
    "dino": {
        "terms": [
            {"kind": "self_distillation", "teacher_temperature": {"start": 0.04, "end": 0.07}}
        ],
        "frozen": 0.5,
    },
}


@pytest.mark.parametrize("kind", PRETRAININGS)
def test_a_pretraining_resumes_bit_for_bit_with_target_queue_and_order_of_keys(
    kind: str, go: Launcher, tmp_path: Path
) -> None:
    small: dict[str, Any] = {
        "hidden": 16,
        "out": 8,
        "normed": "none" if kind == "moco" else "every",
    }
    if kind == "dino":
        small["prototypes"] = 20
    local = {**CROP, "size": 4}
    settings: dict[str, Any] = {
        "method": {"kind": kind, "projector": small, **PRETRAININGS[kind]},
        "views": [CROP, CROP, *([local] if kind in ("swav", "dino") else [])],
    }
    whole = go("pretrain", root=tmp_path / "whole", **settings)
    with pytest.raises(InterruptedRunError):
        go("pretrain", root=tmp_path / "parts", stop_after=5, **settings)

    parts = go("pretrain", root=tmp_path / "parts", **settings)

    for name in ("model", "train_state"):
        one, other = (
            load_file(launched.run.path / "checkpoints" / "last" / f"{name}.safetensors")
            for launched in (whole, parts)
        )
        assert one.keys() == other.keys()
        assert [key for key in one if not torch.equal(one[key], other[key])] == []


def test_every_step_is_logged_once_after_two_interruptions(go: Launcher, tmp_path: Path) -> None:
    plan = {"steps": 20, "batch_size": 32, "observations": 4}
    for stop_after in (3, 9):
        with pytest.raises(InterruptedRunError):
            go("train", root=tmp_path, stop_after=stop_after, plan=plan)

    steps = [
        record["step"]
        for record in log(go("train", root=tmp_path, plan=plan))
        if record["phase"] == "train"
    ]

    assert steps == sorted(set(steps))
    assert steps[-1] == 20


def test_seconds_are_those_of_all_attempts(go: Launcher, tmp_path: Path) -> None:
    plan = {"steps": 20, "batch_size": 32, "observations": 20}
    with pytest.raises(InterruptedRunError):
        go("train", root=tmp_path, stop_after=10, plan=plan)
    state = next(tmp_path.glob("train/*/checkpoints/last/state.json"))
    before = json.loads(state.read_text())["seconds"]

    finished = go("train", root=tmp_path, plan=plan)

    assert before > 0
    assert finished.summary["seconds"] > before


def test_a_signal_in_the_last_step_is_not_lost(go: Launcher, tmp_path: Path) -> None:
    plan = {"steps": 5, "batch_size": 32, "observations": 1}
    with pytest.raises(InterruptedRunError) as caught:
        go("train", root=tmp_path, stop_after=5, plan=plan)

    assert caught.value.exit_code == 143


def test_a_finished_run_is_found_and_not_trained_again(go: Launcher, tmp_path: Path) -> None:
    first = go("train", root=tmp_path, name="one")
    before = sorted(
        (path, path.stat().st_mtime_ns) for path in first.run.path.rglob("*.safetensors")
    )

    again = go("train", root=tmp_path, name="another")

    assert (first.was_skipped, again.was_skipped) == (False, True)
    assert again.run.path == first.run.path
    assert before == sorted(
        (path, path.stat().st_mtime_ns) for path in first.run.path.rglob("*.safetensors")
    )


def test_what_changes_no_number_changes_no_identity(go: Launcher, tmp_path: Path) -> None:
    go("train", root=tmp_path)
    machine = {"device": "cpu", "precision": "fp32", "compile": "never", "threads": 1}

    again = go("train", root=tmp_path, machine=machine)
    other = go("train", root=tmp_path, seed=1)

    assert again.was_skipped
    assert not other.was_skipped


PROGRAM = """
import sys
from pathlib import Path
import torch
from understudy.core.interrupts import Interrupts
from understudy.core.progress import Silent
from understudy.stages.launch import launch
torch.set_num_threads(1)
class Told(Silent):
    def advance(self, count=1, note=""):
        print("step", flush=True)
launch("train", {"machine": {"device": "cpu", "precision": "fp32", "memory_format": "contiguous",
       "compile": "never"}, "backbone": {"kind": "cifar_resnet", "depth": 8, "width": 0.5},
       "plan": {"steps": 60, "batch_size": 32, "observations": 60},
       "labels": {"per_class": 5, "validation_per_class": 5}},
       origin="test", name="train", runs=Path(sys.argv[1]), shared=Path(sys.argv[1]) / "shared",
       out=None, progress=Told(), interrupts=Interrupts())
"""


@pytest.mark.slow
@pytest.mark.parametrize("delay", [0.0, 0.05, 0.11, 0.2])
def test_a_killed_run_goes_on_to_the_same_weights(
    delay: float, go: Launcher, tmp_path: Path
) -> None:
    plan = {"steps": 60, "batch_size": 32, "observations": 60}  # a checkpoint after every step
    whole = go("train", root=tmp_path / "whole", plan=plan)
    killed = tmp_path / "killed"
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(killed)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    for line in process.stdout:
        if line == "step\n" and list(killed.glob("train/*/checkpoints/last")):
            break
    time.sleep(delay)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()

    parts = go("train", root=killed, plan=plan)

    one, other = weights(whole), weights(parts)
    assert all(torch.equal(one[name], other[name]) for name in one)
