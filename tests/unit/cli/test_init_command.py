"""`understudy init`: a study that plans and runs, for folders of any name."""

from pathlib import Path

import pytest
from PIL import Image
from tests.rasters import class_folders

from understudy.cli import main
from understudy.core.yaml import read_yaml

MACHINE = ["machine.precision=fp32", "machine.compile=never"]


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two classes of noise, in a folder that has to be quoted."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "my \"photos\": größe #1 'x'"
    for colour in ("red: dark", "blue"):
        (folder / colour).mkdir(parents=True)
        for number in range(12):
            noise = Image.effect_noise((20, 18), 20 + number).convert("RGB")
            tint = Image.new("RGB", noise.size, colour.split(":")[0])
            Image.blend(noise, tint, 0.1 + number / 20).save(folder / colour / f"{number}.png")
    return folder


def test_what_it_writes_can_be_planned(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", str(photos), "--no-measure"]) == 0
    (study,) = photos.parent.glob("*.yaml")
    assert Path(capsys.readouterr().out.strip()) == Path(study.name)

    assert main(["run", study.name, "--dry-run"]) == 0

    assert capsys.readouterr().out.splitlines()[-1].startswith("7 runs: ")
    assert read_yaml(study)["parameters"]["data"] == {
        "kind": "folder",
        "path": str(photos),
        "size": 16,
    }
    assert not (photos.parent / "runs").exists()


def test_images_of_bands_can_be_planned_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    class_folders(tmp_path / "bands", each=4)

    assert main(["init", "bands", "bands=[B08,B04]", "--no-measure"]) == 0
    assert main(["run", "bands.yaml", "--dry-run"]) == 0

    assert read_yaml(Path("bands.yaml"))["parameters"]["data"]["bands"] == ["B08", "B04"]
    capsys.readouterr()
    assert main(["init", "bands", "--out", "other.yaml", "--no-measure"]) == 3
    assert "`data.bands=all` reads more" in " ".join(capsys.readouterr().err.split())


def test_a_file_that_is_there_is_left_alone_unless_forced(
    photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = photos.parent / "mine.yaml"
    mine.write_text("mine")
    words = ["init", str(photos), "--out", "mine.yaml", "--no-measure"]

    assert main(words) == 2
    assert mine.read_text() == "mine"
    assert "--force" in capsys.readouterr().err
    assert main([*words, "--force"]) == 0
    assert "extends: few-labels" in mine.read_text()


def test_a_folder_that_is_not_there_is_told_with_its_nearest_name(
    photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["init", f"{photos}s", "--no-measure"]) == 2

    assert "did you mean" in capsys.readouterr().err
    assert not list(photos.parent.glob("*.yaml"))


def test_a_table_with_words_becomes_a_study_that_can_be_planned(
    photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = photos.parent / "labels.csv"
    rows = [f"{path.relative_to(photos)};{path.parent.name}" for path in photos.rglob("*.png")]
    table.write_text("\n".join(["file;label", *rows]))
    words = ["labels.csv", f"root={photos}", "data.path_column=file", "size=16"]

    assert main(["init", *words, "--no-measure"]) == 0
    assert main(["run", "labels.yaml", "--dry-run"]) == 0

    assert read_yaml(photos.parent / "labels.yaml")["parameters"]["data"] == {
        "kind": "manifest",
        "path": str(table),
        "size": 16,
        "root": str(photos),
        "path_column": "file",
    }
    assert main(["init", "labels.csv", "split.seed=3", "--force", "--no-measure"]) == 2
    assert "split.seed" in capsys.readouterr().err


@pytest.mark.slow
def test_it_measures_and_what_it_writes_runs(
    photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["init", str(photos), "--out", "study.yaml"]) == 0
    assert "for a seed on this machine" in (photos.parent / "study.yaml").read_text()
    assert not any((photos.parent / "runs" / "shared" / "trials").glob("*"))

    assert main(["run", "study.yaml", "scale=smoke", *MACHINE]) == 0

    assert "student" in capsys.readouterr().out
    assert (photos.parent / "runs" / "studies").is_dir()
