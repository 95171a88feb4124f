from pathlib import Path

import pytest
from PIL import Image

from understudy.core.errors import DataError, UsageError
from understudy.data.survey import survey


def image(path: Path, size: tuple[int, int] = (20, 10), mode: str = "RGB") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size).save(path)


def test_splits_classes_sides_and_the_pool_are_counted(tmp_path: Path) -> None:
    for number in range(3):
        image(tmp_path / "train" / "a" / f"{number}.png", (30 + number, 60))
    image(tmp_path / "train" / "b" / "0.png", (90, 50))
    image(tmp_path / "test" / "a" / "0.png", (12, 40))
    image(tmp_path / "unlabeled" / "x" / "0.png", (200, 100))
    (tmp_path / "train" / "b" / "notes.txt").write_text("no image")

    found = survey(tmp_path)

    assert found.kind == "folder"
    assert found.splits == {"train": 4, "test": 1, "unlabeled": 1}
    assert found.classes == ("a", "b")
    assert found.of_class == (3, 1)  # the test image is none to train with
    assert found.sides == (12, 32, 100)
    assert (found.images, found.unlabeled, found.opened) == (6, 1, 6)
    assert sum(found.ignored.values()) == 1
    assert not found.is_grey


def test_grey_images_and_those_that_cannot_be_opened_are_told(tmp_path: Path) -> None:
    for name in ("a", "b"):
        image(tmp_path / name / "0.png", mode="L")
        image(tmp_path / name / "1.png", mode="I;16")
    (tmp_path / "a" / "broken.png").write_bytes(b"<html>")

    found = survey(tmp_path)

    assert found.is_grey
    assert (found.opened, found.unreadable) == (5, 1)


def test_what_no_source_can_read_is_told_as_of_class_folders(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()

    with pytest.raises(DataError, match="no class folders"):
        survey(tmp_path / "empty")
    with pytest.raises(UsageError, match="does not exist"):
        survey(tmp_path / "emty")
