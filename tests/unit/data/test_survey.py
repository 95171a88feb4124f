import struct
from pathlib import Path

import pytest
from PIL import Image

from understudy.core.errors import DataError, UsageError
from understudy.data.survey import survey


def image(path: Path, size: tuple[int, int] = (20, 10), mode: str = "RGB") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size).save(path)


def twelve_bands() -> bytes:
    """A TIFF of 8 x 8 pixels of 12 bands of 16 bits."""
    bits, strip = struct.pack("<12H", *[16] * 12), bytes(8 * 8 * 12 * 2)
    tags = [(256, 8), (257, 8), (258, 8), (259, 1), (262, 1), (273, 8 + len(bits))]
    tags += [(277, 12), (278, 8), (279, len(strip)), (284, 1)]
    entries = b"".join(
        struct.pack("<HHII", tag, 3 if tag == 258 else 4, 12 if tag == 258 else 1, value)
        for tag, value in tags
    )
    start = 8 + len(bits) + len(strip)
    directory = struct.pack("<H", len(tags)) + entries + struct.pack("<I", 0)
    return b"II*\0" + struct.pack("<I", start) + bits + strip + directory


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


def test_images_of_which_none_can_be_opened_are_refused_without_noise(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Pillow logs an error for each TIFF of more bands than it knows."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "0.tif").write_bytes(twelve_bands())

    with pytest.raises(DataError, match=r"none of the 2 .*a TIFF of 12 bands of 16 bits"):
        survey(tmp_path)
    assert not caplog.records


def test_a_table_needs_its_settings_and_keeps_them(tmp_path: Path) -> None:
    for name in ("a", "b"):
        image(tmp_path / "photos" / name / "0.png")
    table = tmp_path / "tables" / "labels.csv"
    table.parent.mkdir()
    table.write_text("file_name;label\na/0.png;a\nb/0.png;b\n")
    asked = {"root": str(tmp_path / "photos"), "path_column": "file_name"}

    found = survey(table, asked)

    assert (found.kind, found.given, found.images) == ("manifest", asked, 2)
    with pytest.raises(DataError, match="no such column"):
        survey(table, {"root": asked["root"]})
    with pytest.raises(UsageError, match="pth_column"):
        survey(table, {"pth_column": "file_name"})
    with pytest.raises(UsageError, match="kind"):
        survey(table, {"kind": "tabel"})


def test_what_no_source_can_read_is_told_as_of_class_folders(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()

    with pytest.raises(DataError, match="no class folders"):
        survey(tmp_path / "empty")
    with pytest.raises(UsageError, match="does not exist"):
        survey(tmp_path / "emty")
