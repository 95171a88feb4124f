from pathlib import Path

import pytest
from PIL import Image

from understudy.core.errors import DataError, UsageError
from understudy.data.sources.named import named_images


@pytest.fixture(autouse=True)
def _photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a/x.png", "a/deeper/y.png", "z.png"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (4, 4)).save(name)
    Path("a/notes.txt").write_text("no image")
    Path("a/.hidden.png").write_text("hidden")
    Path("unlike.dat").write_text("named, so it is tried")


def test_files_and_folders_come_in_the_order_named_and_what_is_left_out_is_counted() -> None:
    found = named_images([Path("z.png"), Path("a"), Path("unlike.dat")])

    assert [image.name for image in found.images] == [
        "z.png",
        "a/x.png",
        "a/deeper/y.png",
        "unlike.dat",
    ]
    assert all(image.path.exists() for image in found.images)
    assert found.ignored == {"file that is no image (.txt)": 1, "hidden or system file": 1}


def test_all_that_is_absent_is_told_at_once() -> None:
    with pytest.raises(UsageError, match=r"one\.png\n  two\.png$"):
        named_images([Path("one.png"), Path("z.png"), Path("two.png")])


@pytest.mark.parametrize("name", ["a\0b", "n" * 5000])
def test_a_name_that_no_disk_takes_is_absent(name: str) -> None:
    with pytest.raises(UsageError, match="do not exist"):
        named_images([Path(name)])


def test_a_folder_without_images_says_what_lies_there() -> None:
    Path("empty").mkdir()
    Path("empty/notes.txt").write_text("x")

    with pytest.raises(DataError, match=r"No images found in empty\. Ignored: 1 x file that is"):
        named_images([Path("empty")])
