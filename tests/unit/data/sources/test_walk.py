import os
import time
from collections import Counter
from pathlib import Path

import pytest

from understudy.core.errors import DataError
from understudy.data.sources.walk import Folder, ImageFile, stamp_of

LONG_AGO = 1_600_000_000 * 10**9


def top(path: Path, name: str = "", ignored: Counter[str] | None = None) -> Folder:
    counter = Counter() if ignored is None else ignored
    return Folder(path, name=name, ignored=counter, above=frozenset())


def file(name: str = "a.png", size: int = 10, changed: int = LONG_AGO) -> ImageFile:
    return ImageFile(path=f"/{name}", name=name, times=(size, LONG_AGO, changed))


def test_images_come_sorted_with_their_size(tmp_path: Path) -> None:
    for name in ("b.JPG", "a.png", "c.txt", "sub/d.webp"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"12345")
    ignored: Counter[str] = Counter()

    files = list(top(tmp_path, "root", ignored).all_images())

    assert [found.name for found in files] == ["root/a.png", "root/b.JPG", "root/sub/d.webp"]
    assert {found.times[0] for found in files} == {5}
    assert +ignored == Counter({"file that is no image (.txt)": 1})


def test_an_unreadable_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"gone: cannot be read \(No such file"):
        top(tmp_path / "gone")


def test_circles_of_links_end(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a/x.png").touch()
    (tmp_path / "a/b").symlink_to(tmp_path)
    ignored: Counter[str] = Counter()

    files = list(top(tmp_path, ignored=ignored).all_images())

    assert [found.name for found in files] == ["a/x.png"]
    assert ignored["link to a folder above it"] == 1


def test_a_stamp_stays_while_nothing_changes(tmp_path: Path) -> None:
    assert stamp_of(tmp_path, [file()], also="") == stamp_of(tmp_path, [file()], also="")


@pytest.mark.parametrize("changed", [file("b.png"), file(size=11), file(changed=LONG_AGO + 1)])
def test_a_stamp_changes_with_name_size_or_time(tmp_path: Path, changed: ImageFile) -> None:
    assert stamp_of(tmp_path, [changed], also="") != stamp_of(tmp_path, [file()], also="")


def test_a_stamp_changes_with_the_place_and_what_else_decides(tmp_path: Path) -> None:
    stamps = {
        stamp_of(place, [file()], also=also)
        for place in (tmp_path, tmp_path / "b")
        for also in ("image", "img")
    }

    assert len(stamps) == 4


def test_a_file_that_may_still_change_within_one_tick_gets_no_stamp(tmp_path: Path) -> None:
    assert stamp_of(tmp_path, [file(), file(changed=time.time_ns())], also="") == ""


def test_forging_the_time_of_a_file_does_not_keep_its_stamp(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"old")
    os.utime(path, ns=(LONG_AGO, LONG_AGO))
    before = next(top(tmp_path).images()).times
    time.sleep(0.02)  # more than one tick of a Linux file system's clock

    path.write_bytes(b"new")
    os.utime(path, ns=(LONG_AGO, LONG_AGO))

    assert next(top(tmp_path).images()).times != before
