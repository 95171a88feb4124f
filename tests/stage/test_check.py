"""What a run keeps of the check of its images, and what it does with test images seen before."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.stage.conftest import Launcher

from understudy.core.errors import DataError
from understudy.results.find import find
from understudy.results.report import write_report
from understudy.results.rows import rows_of

ALLOWED = {"allow_duplicates": True, "validation": 0.3}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two classes; three test images lie among the training images too."""
    root = tmp_path_factory.mktemp("leaky") / "images"
    random = np.random.default_rng(0)
    for name, count in {"train/cat": 30, "train/dog": 30, "test/cat": 8, "test/dog": 8}.items():
        (root / name).mkdir(parents=True)
        for number in range(count):
            pixels = random.integers(0, 256, (8, 8, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(root / name / f"{number}.png")
    for number in range(3):
        shutil.copy(root / f"test/cat/{number}.png", root / f"train/cat/copy{number}.png")
    return root


@pytest.fixture(scope="module")
def data(folder: Path) -> dict[str, Any]:
    return {"kind": "folder", "path": str(folder)}


def test_leaked_test_images_stop_a_training_before_its_folder_is_made(
    go: Launcher, tmp_path: Path, data: dict[str, Any]
) -> None:
    with pytest.raises(DataError, match="3 test images are identical to images outside"):
        go("train", root=tmp_path, data=data)

    assert not (tmp_path / "train").exists()


def test_a_run_keeps_what_was_found_and_says_it_once(
    go: Launcher, tmp_path: Path, data: dict[str, Any]
) -> None:
    said: list[str] = []

    launched = go("train", root=tmp_path, data=data, split=ALLOWED, say=said.append)
    again: list[str] = []
    go("train", root=tmp_path, data=data, split=ALLOWED, say=again.append)

    found = json.loads((launched.run.path / "data/check.json").read_text())
    assert found["leaked"] == 3
    assert {one["kind"] for one in found["findings"]} >= {"leaked", "few test images"}
    assert len([line for line in said if "warning" in line and "leaked" in line]) == 1
    assert not [line for line in again if "warning" in line]


def test_every_figure_of_leaked_test_images_is_marked(
    go: Launcher, tmp_path: Path, data: dict[str, Any]
) -> None:
    trained = go("train", root=tmp_path, data=data, split=ALLOWED)

    evaluated = go("evaluate", root=tmp_path, models=[str(trained.run.path)])

    assert (evaluated.summary["leaked"], evaluated.summary["images"]) == (3, 16)
    record = find(tmp_path)
    assert {row.leaked for row in rows_of(record)} == {3}
    write_report(record, tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text()
    assert "† 3 test images are identical to images outside the test split of 16" in page
    assert 'id="data"' in page
    assert page.count("data:image/jpeg;base64,") == 6


def test_a_clean_test_split_marks_nothing(go: Launcher, tmp_path: Path) -> None:
    trained = go("train", root=tmp_path)

    evaluated = go("evaluate", root=tmp_path, models=[str(trained.run.path)])

    assert evaluated.summary["leaked"] == 0
    write_report(find(tmp_path), tmp_path / "report.html")
    assert "†" not in (tmp_path / "report.html").read_text()
