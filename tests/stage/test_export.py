"""Group G of what must be survived: what leaves the house answers as it did inside, or not at all.

G1 and G2 are in `unit/evaluation` (parity, the script beside the file), G4 in `unit/stages` and
`unit/results`, G6 in `unit/evaluation/test_onnx_file.py`, G8 in `unit/stages/test_model_card.py`.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from PIL import Image

from understudy.core.errors import DivergedError, InterruptedRunError, StorageError, UsageError
from understudy.core.locks import LOCK, OWNER
from understudy.core.settings import checked
from understudy.core.types import Tap
from understudy.data.pack import stored_pack
from understudy.data.splits import SplitSettings, split
from understudy.evaluation.exported import Exported
from understudy.evaluation.onnx_file import write_onnx
from understudy.stages import calibrating, export
from understudy.stages.launch import Launched
from understudy.stages.restore import classifier, restored

Launcher = Callable[..., Launched]
pytestmark = pytest.mark.slow  # an export takes a second or two


@pytest.fixture(scope="session")
def evaluation(go: Launcher, teacher: Launched, student: Launched) -> Launched:
    return go("evaluate", models=[str(teacher.run.path), str(student.run.path)])


@pytest.fixture(scope="session")
def exported(go: Launcher, student: Launched, evaluation: Launched) -> Launched:
    return go("export", model=str(student.run.path), evaluation=str(evaluation.run.path), int8=True)


def test_an_export_is_a_folder_that_can_be_handed_on(exported: Launched) -> None:
    names = {path.name for path in exported.run.path.iterdir()}

    assert names == {
        *(".lock", "config.yaml", "summary.json"),
        *(
            "student.onnx",
            "student.int8.onnx",
            "golden.npz",
            "predict.py",
            "pixels.py",
            "check.py",
            "README.md",
        ),
    }
    file = exported.run.path / "student.onnx"
    assert exported.summary["sha256"] == sha256(file.read_bytes()).hexdigest()
    assert exported.summary["sha256"] in (exported.run.path / "README.md").read_text()


def test_the_card_tells_the_numbers_of_the_evaluation_and_the_whole_line(
    exported: Launched, evaluation: Launched, student: Launched
) -> None:
    page = (exported.run.path / "README.md").read_text()

    figures = next(
        one
        for one in evaluation.summary["evaluations"]
        if one["identity"] == student.summary["identity"] and one["checkpoint"] == "best"
    )
    assert f"| top-1 accuracy | {100 * figures['top1']:.1f} % |" in page
    for stage in ("distill/student-", "finetune/teacher-", "pretrain/pretrain-"):
        assert stage in page
    assert "No weights of others went into it" in page
    assert "trial run" in page  # twelve steps
    assert str(Path.home()) not in page
    assert str(exported.run.path.parent) not in page


def test_the_golden_images_are_training_images_with_the_answers_of_the_network(
    exported: Launched, student: Launched, shared: Path
) -> None:
    golden = np.load(exported.run.path / "golden.npz", allow_pickle=False)

    pack = stored_pack(student.summary["pack"], shared=shared)
    assert pack is not None
    settings = checked(SplitSettings, student.summary["split"], origin="test")
    names = {pack.names[place] for place in split(pack, settings).train}
    assert set(golden["names"]) <= names
    assert golden["pixels"].shape == (16, 8, 8, 1)
    pixels = torch.from_numpy(golden["pixels"].transpose(0, 3, 1, 2)).float() / 255
    network = restored(student.run.path, "best").network.eval()
    with torch.inference_mode():
        logits = network(pixels, frozenset({Tap.LOGITS})).logits
    np.testing.assert_allclose(golden["logits"], logits.numpy(), atol=1e-5)
    done = subprocess.run(
        [sys.executable, exported.run.path / "check.py"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_probabilities_are_calibrated_on_the_validation_labels_that_were_read(
    exported: Launched, evaluation: Launched, student: Launched
) -> None:
    told = exported.summary["temperature"]

    assert told["labels"] == student.summary["labels"]["validation"] == 50
    assert Exported(exported.run.path / "student.onnx", threads=1).temperature == told["value"]
    for one in evaluation.summary["evaluations"]:
        assert one["temperature"]["labels"] == 50
        assert 0 <= one["ece_calibrated"] <= 1
        if (one["identity"], one["checkpoint"]) == (student.summary["identity"], "best"):
            assert one["temperature"]["value"] == pytest.approx(told["value"])


def test_g5_no_test_label_is_ever_read_to_calibrate(
    student: Launched, shared: Path, tmp_path: Path
) -> None:
    """A run whose record was changed to name test images gets nothing for it."""
    pack = stored_pack(student.summary["pack"], shared=shared)
    assert pack is not None
    splits = split(pack, checked(SplitSettings, student.summary["split"], origin="test"))
    (tmp_path / "data").mkdir()
    told = {"pack": pack.key, "train": [], "validation": splits.test.tolist(), "elsewhere": {}}
    (tmp_path / "data" / "labels.json").write_text(json.dumps(told))

    assert not len(calibrating.validation_labels(tmp_path, pack, splits))
    found = classifier(student.run.path, "best")
    assert calibrating.temperature_of(tmp_path, found, pack, splits).value == 1.0


def test_labels_of_other_images_calibrate_nothing(
    student: Launched, shared: Path, tmp_path: Path
) -> None:
    pack = stored_pack(student.summary["pack"], shared=shared)
    assert pack is not None
    splits = split(pack, checked(SplitSettings, student.summary["split"], origin="test"))
    (tmp_path / "data").mkdir()
    told = {"pack": "another", "validation": splits.val.tolist()}
    (tmp_path / "data" / "labels.json").write_text(json.dumps(told))

    assert not len(calibrating.validation_labels(tmp_path, pack, splits))


def test_int8_is_made_from_training_images_and_both_files_are_told(exported: Launched) -> None:
    told = exported.summary["int8"]

    assert told["calibrated_on"] == 512
    assert told["labels"] == 50
    assert told["file_bytes"] < told["file_bytes_fp32"] == exported.summary["file_bytes"]
    assert told["recommended"] == (not told["against"])
    page = (exported.run.path / "README.md").read_text()
    assert "student.int8.onnx" in page
    assert ("**not recommended**" in page) == (not told["recommended"])


class Drifted(Exported):
    """A runtime that computes a little otherwise."""

    def __call__(self, pixels: Any) -> Any:
        return super().__call__(pixels) * 1.01


@pytest.fixture
def folder(go: Launcher, student: Launched, tmp_path: Path) -> Iterator[Callable[[], Launched]]:
    yield lambda: go("export", root=tmp_path, model=str(student.run.path), golden=0)


def files(root: Path) -> set[str]:
    (run,) = (root / "export").iterdir()
    return {path.name for path in run.iterdir()} - {LOCK, OWNER, "config.yaml"}


def test_g3_a_file_that_answers_otherwise_is_not_there_and_the_run_has_failed(
    folder: Callable[[], Launched], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "Exported", Drifted)

    with pytest.raises(DivergedError, match="does not answer as its network") as caught:
        folder()

    assert caught.value.exit_code == 4
    assert files(tmp_path) == set()
    monkeypatch.undo()
    assert folder().summary["file"] == "student.onnx"


def test_g7_names_that_were_lost_or_turned_around_are_found(
    folder: Callable[[], Launched], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def turned(network: Any, *, classes: tuple[str, ...], **others: Any) -> None:
        write_onnx(network, classes=classes[::-1], **others)

    monkeypatch.setattr(export, "write_onnx", turned)

    with pytest.raises(DivergedError, match=r"names its outputs 9, 8, 7.*network 0, 1, 2"):
        folder()

    assert files(tmp_path) == set()


@pytest.mark.parametrize("at", ["parity", "replace"])
def test_g9_an_export_that_is_stopped_leaves_no_file_under_its_name(
    at: str, folder: Callable[[], Launched], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    if at == "parity":
        monkeypatch.setattr(export, "parity", stopped)
    else:
        monkeypatch.setattr("os.replace", stopped)
    with pytest.raises(KeyboardInterrupt):
        folder()

    assert files(tmp_path) == set()


def test_g9_a_signal_inside_the_exporter_is_no_fault_of_the_model(
    go: Launcher, student: Launched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It reports whatever it meets as a model that cannot be expressed."""
    honest = torch.onnx.export

    def stopped(network: torch.nn.Module, *args: Any, **options: Any) -> Any:
        network.register_forward_hook(lambda *_: os.kill(os.getpid(), signal.SIGINT))
        return honest(network, *args, **options)

    monkeypatch.setattr(torch.onnx, "export", stopped)

    with pytest.raises(InterruptedRunError) as caught:
        go("export", root=tmp_path, model=str(student.run.path))

    assert caught.value.exit_code == 130
    assert not list(tmp_path.glob("export/*/*.onnx"))


def test_g9_what_a_killed_export_left_is_cleared_away(
    folder: Callable[[], Launched], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As SIGKILL leaves it: nothing runs after the last write."""
    monkeypatch.setattr(Path, "unlink", lambda *_, **__: None)
    monkeypatch.setattr(export, "parity", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        folder()
    assert files(tmp_path) == {".student.onnx.partial"}
    monkeypatch.undo()

    folder()

    assert files(tmp_path) == {
        *("student.onnx", "predict.py", "pixels.py", "README.md", "summary.json"),
    }


def test_images_that_must_not_leave_do_not(folder: Callable[[], Launched]) -> None:
    launched = folder()

    assert not (launched.run.path / "data").exists()  # pictures of what the check found
    assert not (launched.run.path / "golden.npz").exists()
    assert "golden.npz" not in (launched.run.path / "README.md").read_text()


def test_the_evaluation_of_another_model_is_refused(
    go: Launcher, baseline: Launched, evaluation: Launched, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=r"tells nothing of .*It tells of: finetune/teacher"):
        go(
            "export",
            root=tmp_path,
            model=str(baseline.run.path),
            evaluation=str(evaluation.run.path),
        )


def test_a_training_is_no_evaluation(
    go: Launcher, student: Launched, baseline: Launched, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="It tells of: no classifier"):
        go(
            "export",
            root=tmp_path,
            model=str(student.run.path),
            evaluation=str(baseline.run.path),
        )


def test_weights_of_another_network_are_a_damaged_run(go: Launcher, tmp_path: Path) -> None:
    launched = go("train", root=tmp_path, plan={"steps": 1})
    network = launched.run.path / "network.json"
    told = json.loads(network.read_text())
    told["backbone"]["width"] = 1.0
    network.write_text(json.dumps(told))

    with pytest.raises(StorageError, match="not those of its network"):
        go("export", root=tmp_path, model=str(launched.run.path))


def test_whole_image_files_lie_beside_the_pixels_that_they_become(
    go: Launcher, tmp_path: Path
) -> None:
    random = np.random.default_rng(0)
    for name in ("ant", "bee"):
        (tmp_path / "images" / name).mkdir(parents=True)
        for number in range(12):
            coarse = random.integers(0, 256, (6, 9, 3), dtype=np.uint8)
            photo = Image.fromarray(coarse).resize((90, 60))
            photo.save(tmp_path / "images" / name / f"{number}.jpg")
    data = {"kind": "folder", "path": str(tmp_path / "images"), "size": 16}
    labels = {"per_class": 4, "validation_per_class": 1}
    trained = go("train", root=tmp_path, data=data, labels=labels, size=12, plan={"steps": 2})

    launched = go("export", root=tmp_path, model=str(trained.run.path), golden=5)

    golden = np.load(launched.run.path / "golden.npz", allow_pickle=False)
    assert launched.summary["golden"] == {"images": 5, "files": 3}
    assert golden["pixels"].shape == (5, 12, 12, 3)
    for number, row in enumerate(golden["files"]):
        file = tmp_path / "images" / str(golden["names"][row])
        assert golden[f"file_{number}"].tobytes() == file.read_bytes()
    done = subprocess.run(
        [sys.executable, launched.run.path / "check.py"], capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")
    model = onnx.load(launched.run.path / "train.onnx")
    told = json.loads({entry.key: entry.value for entry in model.metadata_props}["preprocessing"])
    assert told["file"] == {"conversion": 1, "channels": "rgb", "size": 16}
