import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.traps import pickled_trap

from understudy.core.errors import StorageError, UsageError
from understudy.core.progress import Silent
from understudy.engine.checkpoint import (
    Checkpoint,
    best_folder,
    latest,
    publish,
    read_checkpoint,
    tensors_from,
)


class Told(Silent):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, text: str) -> None:
        self.lines.append(text)


def checkpoint(step: int) -> Checkpoint:
    return Checkpoint(
        model={"weight": torch.full((3, 3), float(step))},
        train_state={"momentum": torch.arange(3.0)},
        state={"step": step},
    )


def test_what_is_written_is_read(tmp_path: Path) -> None:
    publish(tmp_path, "last", checkpoint(5))

    found = read_checkpoint(tmp_path / "last")

    assert torch.equal(found.model["weight"], torch.full((3, 3), 5.0))
    assert found.state["step"] == 5


def test_the_one_before_is_kept(tmp_path: Path) -> None:
    for step in (1, 2, 3):
        publish(tmp_path, "last", checkpoint(step))

    assert read_checkpoint(tmp_path / "last").state["step"] == 3
    assert read_checkpoint(tmp_path / "previous").state["step"] == 2


@pytest.mark.parametrize("name", ["model.safetensors", "train_state.safetensors"])
def test_a_damaged_last_falls_back_loudly(name: str, tmp_path: Path) -> None:
    for step in (1, 2):
        publish(tmp_path, "last", checkpoint(step))
    path = tmp_path / "last" / name
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    told = Told()

    found = latest(tmp_path, told)

    assert found is not None
    assert found.state["step"] == 1
    assert any(name in line and "previous" in line for line in told.lines)


@pytest.mark.parametrize("name", ["model.safetensors", "train_state.safetensors", "state.json"])
def test_a_last_torn_at_any_byte_falls_back(name: str, tmp_path: Path) -> None:
    """As a disk that lost what it had promised to keep may leave it."""
    for step in (1, 2):
        publish(tmp_path, "last", checkpoint(step))
    path = tmp_path / "last" / name
    whole = path.read_bytes()

    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        found = latest(tmp_path, Silent())
        if found is None or found.state["step"] != 1:  # a JSON file less its last newline is whole
            assert found is not None
            assert name == "state.json"
            assert not whole[length:].strip()


def test_a_damaged_last_does_not_take_the_place_of_a_good_previous(tmp_path: Path) -> None:
    for step in (1, 2):
        publish(tmp_path, "last", checkpoint(step))
    (tmp_path / "last" / "state.json").write_text("{}")

    publish(tmp_path, "last", checkpoint(3))

    assert read_checkpoint(tmp_path / "last").state["step"] == 3
    assert read_checkpoint(tmp_path / "previous").state["step"] == 1


def test_no_whole_checkpoint_is_an_error_not_a_fresh_start(tmp_path: Path) -> None:
    publish(tmp_path, "last", checkpoint(1))
    (tmp_path / "last" / "state.json").unlink()

    with pytest.raises(StorageError, match=r"state\.json"):
        latest(tmp_path, Silent())


def test_nothing_written_is_nothing_found(tmp_path: Path) -> None:
    assert latest(tmp_path, Silent()) is None


@pytest.mark.parametrize("crash_at", range(12))
def test_a_crash_at_any_change_of_the_disk_leaves_a_checkpoint_that_loads(
    crash_at: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for step in (1, 2):
        publish(tmp_path, "last", checkpoint(step))
    calls: list[Any] = []

    def crashing(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            if len(calls) == crash_at:
                raise KeyboardInterrupt
            calls.append(real)
            return real(*args, **kwargs)

        return call

    for owner, name in ((Path, "rename"), (Path, "replace"), (Path, "mkdir"), (shutil, "rmtree")):
        monkeypatch.setattr(owner, name, crashing(getattr(owner, name)))
    with suppress(KeyboardInterrupt):
        publish(tmp_path, "last", checkpoint(3))
    monkeypatch.undo()

    found = latest(tmp_path, Silent())
    assert found is not None
    assert found.state["step"] in (2, 3)
    assert torch.equal(found.model["weight"], torch.full((3, 3), float(found.state["step"])))


def test_the_best_is_found_after_a_crash_between_two_renames(tmp_path: Path) -> None:
    publish(tmp_path, "best", checkpoint(1))
    (tmp_path / "best").rename(tmp_path / ".old-best")

    assert read_checkpoint(best_folder(tmp_path)).state["step"] == 1


def test_a_pickle_is_refused_unread(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="safetensors only"):
        tensors_from(pickled_trap(tmp_path / "sprung"), origin=tmp_path / "teacher.pth")

    assert not (tmp_path / "sprung").exists()


def test_a_checkpoint_of_a_newer_version_says_so(tmp_path: Path) -> None:
    publish(tmp_path, "last", checkpoint(1))
    state = tmp_path / "last" / "state.json"
    state.write_text(state.read_text().replace('"schema": 1', '"schema": 99'))

    with pytest.raises(UsageError, match="newer"):
        read_checkpoint(tmp_path / "last")
