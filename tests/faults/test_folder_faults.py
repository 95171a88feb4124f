"""What a person with a folder of images gets wrong, through the command line."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from understudy.cli import main


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Two classes of twenty small images."""
    random = np.random.default_rng(0)
    for name in ("cat", "dog"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for number in range(20):
            pixels = random.integers(0, 256, (12, 10, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "photos" / name / f"{number}.png")
    return tmp_path / "photos"


def few(photos: Path, *words: str) -> list[str]:
    return ["run", "few-labels", f"data={photos}", "labels.per_class=3", *words]


def test_runs_inside_the_images_are_refused_before_anything_is_made(
    photos: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(photos)

    code = main(["run", "few-labels", "data=."])

    assert code == 2
    assert "--runs" in capsys.readouterr().err
    assert sorted(path.name for path in photos.iterdir()) == ["cat", "dog"]


def test_a_broken_image_is_told_once_and_leaves_no_study(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = photos / "cat" / "7.png"
    path.write_bytes(path.read_bytes()[:60])

    code = main(few(photos, "--runs", str(tmp_path / "runs")))

    told = capsys.readouterr().err
    assert code == 3
    assert told.count("7.png") == 1
    assert not (tmp_path / "runs" / "studies").exists()


def test_a_name_that_leads_elsewhere_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["train", "digits", "--name", "../../evil", "--runs", str(tmp_path / "runs")])

    assert code == 2
    assert "../../evil" in capsys.readouterr().err
    assert not list(tmp_path.parent.glob("evil*"))


@pytest.mark.parametrize("limit", ["abc", "30", "0min", "-3min"])
def test_a_time_that_is_none_is_refused_by_the_plan(
    limit: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "few-labels", "data=x", f"budget={limit}", "--dry-run"]) == 2
    assert "30min" in capsys.readouterr().err


def test_a_thousand_classes_that_are_too_small_fit_on_a_screen(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(100):
        folder = tmp_path / "many" / f"class-{number}"
        folder.mkdir(parents=True)
        for copy in range(5):
            Image.new("RGB", (4, 4), (number, copy, 7)).save(folder / f"{copy}.png")

    asked = ["run", "few-labels", f"data={tmp_path / 'many'}", "labels.per_class=20"]
    code = main([*asked, "--runs", str(tmp_path / "runs")])

    assert code == 3
    assert len(capsys.readouterr().err) < 3000


@pytest.mark.slow
def test_a_folder_of_images_runs_through_and_says_what_it_became(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["run", "few-labels", f"data={photos}", "scale=smoke", "student.width=0.5"]

    code = main([*words, "--runs", str(tmp_path / "runs")])

    told = capsys.readouterr()
    assert code == 0
    assert "40 images, 2 classes, used as 32x32 pixels, 3 channels" in told.err
    (model,) = [line for line in told.out.splitlines() if line.startswith("Model:")]
    assert Path(model.removeprefix("Model:").strip()).exists()
    assert "smoke test" in told.out


def test_more_labels_than_there_are_is_told_once_before_anything_is_made(
    photos: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)

    code = main(["run", "few-labels", f"data={photos}", "data.size=8", "labels.per_class=500"])

    shown = capsys.readouterr()
    assert code == 3
    assert shown.err.count("Cannot label 500 images") == 1
    assert "error: few-labels: 1 mistake\n  stages.baseline, stages.augmented, " in shown.err
    assert shown.out == ""
    assert {path.name for path in (tmp_path / "runs").iterdir()} == {"shared"}


@pytest.mark.usefixtures("photos")
@pytest.mark.parametrize("study", [["run", "few-labels", "--dry-run"], ["train", "plan.steps=1"]])
def test_a_table_of_images_is_taken_for_what_it_is(
    study: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Given as `data=FILE` with no other word; a mistake in it is told with its line."""
    (tmp_path / "labels.csv").write_text("path,label\nphotos/cat/0.png,cat\nphotos/gone.png,dog\n")

    code = main([*study, f"data={tmp_path / 'labels.csv'}", "--runs", str(tmp_path / "runs")])

    told = capsys.readouterr()
    if "--dry-run" in study:
        assert (code, told.err) == (0, "")
        return
    assert code == 3
    assert "line 3: photos/gone.png" in told.err


@pytest.mark.parametrize("word", ["data={}", "data.unlabeled={}"])
def test_runs_inside_a_pool_are_refused_too(
    word: str, photos: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(photos)

    assert main(["train", f"data={photos}", word.format(photos), "plan.steps=1"]) == 2
    assert "--runs" in capsys.readouterr().err
