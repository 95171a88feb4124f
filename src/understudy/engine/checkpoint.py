"""Checkpoints in safetensors and JSON: published whole, verified when read, never a pickle."""

import json
import shutil
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn

from understudy.core.errors import StorageError, UsageError
from understudy.core.files import make_folder, read_json, replace_folder, write_bytes, write_json
from understudy.core.progress import Progress
from understudy.engine.tensor_file import must_be_whole

SCHEMA = 1
NOTES = "understudy"  # the key of ours among a file's own words


class Checkpoint(NamedTuple):
    """What one checkpoint holds."""

    model: dict[str, Tensor]
    """The network's weights and buffers, ready for use."""
    train_state: dict[str, Tensor]
    """Everything else that a resume needs; empty in `best`."""
    state: dict[str, Any]
    """Step and other plain values."""


def publish(folder: Path, slot: str, checkpoint: Checkpoint) -> None:
    """Writes a checkpoint as `last` (the one before becomes `previous`) or as `best`.

    A crash at any byte leaves a checkpoint that loads: files are flushed before they count, and
    `state.json`, which holds their hashes, is written last.

    Raises:
        StorageError: The disk refuses; the checkpoints before are untouched.
    """
    fresh = folder / f".new-{slot}"
    shutil.rmtree(fresh, ignore_errors=True)
    make_folder(fresh)
    hashes = {
        "model": write_bytes(fresh / "model.safetensors", save(_contiguous(checkpoint.model))),
        "train_state": write_bytes(
            fresh / "train_state.safetensors", save(_contiguous(checkpoint.train_state))
        ),
    }
    write_json(fresh / "state.json", {**checkpoint.state, "schema": SCHEMA, "sha256": hashes})
    if slot == "last" and _is_whole(folder / "last"):
        replace_folder(folder / "last", folder / "previous")
    replace_folder(fresh, folder / slot)


def latest(folder: Path, progress: Progress) -> Checkpoint | None:
    """The newest checkpoint that is whole, or None where none was ever written.

    Raises:
        StorageError: There are checkpoints, and all are damaged.
    """
    damaged: list[str] = []
    for slot in ("last", ".old-last", "previous", ".old-previous"):
        path = folder / slot
        if not path.exists():
            continue
        try:
            checkpoint = read_checkpoint(path)
        except StorageError as error:
            damaged.append(str(error))
            continue
        for line in damaged:
            progress.warn(f"warning: {line} Going on from `{slot}`.")
        return checkpoint
    if damaged:
        raise StorageError(
            "\n".join([*damaged, "No checkpoint is whole: delete the run's folder."])
        )
    return None


def read_checkpoint(path: Path) -> Checkpoint:
    """Reads and verifies one checkpoint.

    Raises:
        StorageError: A file is missing, or is not what was written.
        UsageError: It was written by a newer version.
    """
    if not (path / "state.json").exists():
        raise StorageError(f"{path}: incomplete, it has no state.json.")
    state = read_json(path / "state.json")
    if state.get("schema", 0) > SCHEMA:
        raise UsageError(f"{path}: written by a newer understudy; update this one.")
    if not {"step", "sha256"} <= state.keys():
        raise StorageError(f"{path}: damaged, its state.json lacks what was written.")
    return Checkpoint(
        model=_read_tensors(path / "model.safetensors", state["sha256"]["model"]),
        train_state=_read_tensors(path / "train_state.safetensors", state["sha256"]["train_state"]),
        state=state,
    )


def _is_whole(path: Path) -> bool:
    """A damaged `last` must not take the place of a good `previous`."""
    try:
        read_checkpoint(path)
    except (StorageError, UsageError):
        return False
    return True


def best_folder(folder: Path) -> Path:
    """Where the best checkpoint lies, also after a crash between two renames."""
    return folder / "best" if (folder / "best").exists() else folder / ".old-best"


def _read_tensors(path: Path, expected: str) -> dict[str, Tensor]:
    try:
        must_be_whole(path)
        content = path.read_bytes()
    except OSError as error:
        raise StorageError(f"{path}: cannot be read ({error.strerror}).") from error
    if sha256(content).hexdigest() != expected:
        raise StorageError(f"{path}: damaged, its content is not what was written.")
    return tensors_from(content, origin=path)


def tensors_from(content: bytes, *, origin: Path) -> dict[str, Tensor]:
    """Reads safetensors; anything else, a pickle above all, is refused unread.

    Raises:
        UsageError: The content is not safetensors.
    """
    try:
        return load(content)
    except (SafetensorError, ValueError, KeyError) as error:
        raise UsageError(
            f"{origin}: not a safetensors file ({error}). "
            "Weights are read from safetensors only: a pickle can run any code."
        ) from error


def with_notes(tensors: Mapping[str, Tensor], notes: Mapping[str, str]) -> bytes:
    """A safetensors file that says something of itself beside its tensors; always the same bytes.

    Under one key, since the library writes several in an order that changes.
    """
    whole = {name: tensor.contiguous().clone() for name, tensor in tensors.items()}  # none shared
    return save(whole, metadata={NOTES: json.dumps(dict(notes), sort_keys=True)})


def notes_of(content: bytes) -> dict[str, str]:
    """What `with_notes` wrote into a file that `tensors_from` reads; nothing of one by others."""
    length = int.from_bytes(content[:8], "little")
    written = json.loads(content[8 : 8 + length]).get("__metadata__") or {}
    found: dict[str, str] = json.loads(written.get(NOTES, "{}"))
    return found


def weights_hash(network: nn.Module) -> str:
    """SHA-256 of the file that a checkpoint of a network is: equal weights have equal ones."""
    return sha256(save(_contiguous(network.state_dict()))).hexdigest()


def _contiguous(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
