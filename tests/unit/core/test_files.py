import errno
import os
from pathlib import Path

import pytest

from understudy.core.errors import StorageError
from understudy.core.files import read_json, replace_folder, write_bytes, write_json


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_json(path, {"value": 1})

    write_json(path, {"value": 2})

    assert read_json(path) == {"value": 2}
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.json"]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EACCES, errno.EROFS, errno.EIO])
def test_a_refusing_disk_is_a_storage_error_and_leaves_what_stood_there(
    code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.json"
    write_json(path, {"value": 1})

    def refuse(_: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(StorageError, match=r"a\.json"):
        write_bytes(path, b"other")

    assert read_json(path) == {"value": 1}
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.json"]


def test_numbers_that_json_does_not_know_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "a.json", {"loss": float("nan")})

    assert not list(tmp_path.iterdir())


def test_damaged_json_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('{"value": ')

    with pytest.raises(StorageError, match=r"a\.json"):
        read_json(path)


def test_the_only_old_folder_stays_until_the_new_one_is_in_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a crash between the two renames, the old one is all there is."""
    new, place, old = tmp_path / "new", tmp_path / "place", tmp_path / ".old-place"
    new.mkdir()
    old.mkdir()

    def crash(self: Path, target: Path) -> Path:  # noqa: ARG001
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "rename", crash)
    with pytest.raises(KeyboardInterrupt):
        replace_folder(new, place)

    assert old.exists()


@pytest.mark.parametrize("crash_at", [0, 1])
def test_a_crash_between_two_renames_leaves_one_of_the_folders(
    crash_at: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    new, place = tmp_path / "new", tmp_path / "place"
    for folder in (new, place):
        folder.mkdir()
        (folder / "which").write_text(folder.name)
    rename, calls = Path.rename, list[Path]()

    def crash(self: Path, target: Path) -> Path:
        if len(calls) == crash_at:
            raise KeyboardInterrupt
        calls.append(target)
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", crash)
    with pytest.raises(KeyboardInterrupt):
        replace_folder(new, place)

    survivors = [place, tmp_path / ".old-place"]
    assert any((folder / "which").exists() for folder in survivors)


@pytest.mark.parametrize("content", ["[" * 100_000, '{"a":' * 100_000])
def test_json_too_deep_to_be_ours_is_damaged(content: str, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(content)

    with pytest.raises(StorageError, match="damaged"):
        read_json(tmp_path / "a.json")


def test_json_too_large_to_be_ours_is_refused_unread(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{}")
    os.truncate(tmp_path / "a.json", 1 << 40)  # a terabyte of holes

    with pytest.raises(StorageError, match="damaged"):
        read_json(tmp_path / "a.json")
