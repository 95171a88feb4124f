"""How a command ends when something goes wrong."""

import errno
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from understudy.cli.failures import MOST_LINES, exit_code_of
from understudy.core.errors import (
    DataError,
    DivergedError,
    InterruptedRunError,
    MemoryExhaustedError,
    MissingResourceError,
    StorageError,
    UsageError,
)


def raising(error: BaseException) -> Callable[[], int]:
    def work() -> int:
        raise error

    return work


class OutOfMemoryError(RuntimeError):
    """Called as torch calls its own."""


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError("x"), 2),
        (DataError("x"), 3),
        (DivergedError("x"), 4),
        (MemoryExhaustedError("x"), 5),
        (StorageError("x"), 6),
        (MissingResourceError("x"), 7),
        (InterruptedRunError("x", 15), 143),
        (KeyboardInterrupt(), 130),
        (MemoryError(), 5),
        (OutOfMemoryError("CUDA out of memory. Tried to allocate 20 GiB"), 5),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"), 5),
        (OSError(errno.ENOSPC, "No space left on device", "runs/x"), 6),
        (PermissionError(errno.EACCES, "Permission denied", "runs/x"), 6),
        (OSError(errno.EROFS, "Read-only file system"), 6),
        (FileNotFoundError(errno.ENOENT, "No such file", "x"), 6),
        (NotADirectoryError(errno.ENOTDIR, "Not a directory", "/dev/null/x"), 6),
        (OSError("of our own making"), 1),
        (ZeroDivisionError("x"), 1),
    ],
)
def test_every_error_has_its_code_and_one_screen(
    error: BaseException, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code_of(raising(error), debug=False) == code

    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("error: ")
    assert "Traceback" not in shown.err
    assert shown.err.count("\n") == 1


def test_what_went_well_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code_of(lambda: 0, debug=False) == 0
    assert exit_code_of(lambda: 4, debug=False) == 4
    assert capsys.readouterr().err == ""


def test_a_bug_says_so_in_one_line_and_leaves_its_traceback_in_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    assert exit_code_of(raising(KeyError("teacher\nand more")), debug=False) == 1

    (line,) = capsys.readouterr().err.splitlines()
    place = re.search(r"traceback in (\S+);", line)
    assert line.startswith("error: a bug in understudy: KeyError: ")
    assert place is not None
    assert "raise error" in Path(place[1]).read_text()


def test_a_bug_on_a_full_disk_shows_its_traceback_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "absent"))

    assert exit_code_of(raising(KeyError("teacher")), debug=False) == 1

    shown = capsys.readouterr().err
    assert "raise error" in shown
    assert shown.splitlines()[-1] == "error: a bug in understudy: KeyError: 'teacher'"


def test_debug_shows_where_a_users_error_came_from(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code_of(raising(UsageError("asked")), debug=True) == 2

    shown = capsys.readouterr().err
    assert "raise error" in shown
    assert shown.endswith("error: asked\n")


def test_a_name_cannot_paint_the_screen(capsys: pytest.CaptureFixture[str]) -> None:
    exit_code_of(raising(UsageError("\x1b[2J\x1b]0;title\x07[red]ev\x08il[/red]\r")), debug=False)

    assert capsys.readouterr().err == "error: [red]evil[/red]\n"


def test_more_mistakes_than_a_screen_holds_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    exit_code_of(raising(UsageError("\n".join(map(str, range(500))))), debug=False)

    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == MOST_LINES + 1
    assert lines[-1] == f"  ... and {500 - MOST_LINES} lines more"
