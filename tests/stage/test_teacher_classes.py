"""A teacher of more classes, or of another order, is looked up by name or refused."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image
from tests.stage.conftest import Launcher

from understudy.core.errors import DataError
from understudy.stages.launch import Launched

LABELS = {"per_class": 5, "validation_per_class": 2}
COLOURS = {"ant": (200, 60, 60), "bee": (60, 200, 60), "cat": (60, 60, 200), "dog": (60, 60, 60)}


def drawn(folder: Path, names: list[str]) -> dict[str, Any]:
    """Class folders in one colour each, which a small network learns in a few steps."""
    random = np.random.default_rng(len(names))
    for name in names:
        (folder / name).mkdir(parents=True)
        for number in range(24):
            noise = random.integers(-40, 40, (12, 12, 3))
            pixels = np.clip(np.array(COLOURS[name]) + noise, 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{number}.png")
    return {"path": str(folder)}


@pytest.fixture(scope="module")
def teacher(go: Launcher, tmp_path_factory: pytest.TempPathFactory) -> Launched:
    data = drawn(tmp_path_factory.mktemp("three"), ["ant", "bee", "cat"])
    plan = {"steps": 40, "batch_size": 32, "observations": 1}
    return go("train", name="knows-three", data=data, plan=plan, labels=LABELS)


def test_a_teacher_of_more_classes_is_refused_until_it_is_looked_up_by_name(
    go: Launcher, teacher: Launched, tmp_path: Path
) -> None:
    data = drawn(tmp_path / "two", ["cat", "ant"])
    asked = {"teacher": str(teacher.run.path), "data": data, "root": tmp_path / "runs"}
    asked["labels"] = LABELS

    with pytest.raises(
        DataError, match=r"it lacks none, and has 'bee' beside them\. Set `teacher_classes=by_name"
    ):
        go("distill", **asked)
    plan = {"steps": 60, "batch_size": 32, "observations": 1}
    student = go("distill", **asked, teacher_classes="by_name", plan=plan)

    assert student.summary["checkpoints"]["last"]["val_top1"] == 1
    classes = json.loads((student.run.path / "network.json").read_text())["classes"]
    assert classes == ["ant", "cat"]


def test_a_class_that_the_teacher_does_not_know_is_named(go: Launcher, tmp_path: Path) -> None:
    two = drawn(tmp_path / "two", ["cat", "ant"])
    three = drawn(tmp_path / "three", ["ant", "bee", "cat"])
    knows_two = go("train", root=tmp_path / "runs", data=two, labels=LABELS)

    with pytest.raises(DataError, match="knows 2 classes, but not 'bee' of the data"):
        go(
            "distill",
            root=tmp_path / "runs",
            data=three,
            labels=LABELS,
            teacher=str(knows_two.run.path),
            teacher_classes="by_name",
        )


def test_a_model_of_more_classes_is_measured_on_those_of_the_data_and_that_is_told(
    go: Launcher, teacher: Launched, tmp_path: Path
) -> None:
    two = drawn(tmp_path / "two", ["cat", "ant"])
    asked = {"root": tmp_path / "runs", "models": [str(teacher.run.path)]}

    found = go("evaluate", **asked, data=two)

    assert found.summary["evaluations"][0]["top1"] == 1
    (note,) = found.summary["notes"]
    assert "knows 3 classes: it was asked for the 2 of the data" in note
    (file,) = sorted((found.run.path / "predictions").glob("*-last.parquet"))
    assert {len(row) for row in pq.read_table(file)["logits"].to_pylist()} == {2}
    with pytest.raises(DataError, match="knows 3 classes, but not 'dog' of the data"):
        go("evaluate", **asked, data=drawn(tmp_path / "dogs", ["ant", "dog"]))
