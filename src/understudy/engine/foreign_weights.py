"""Tensors of a file that others wrote: the only place that reads a pickle, and only weights of it.

torch's weights-only loader builds tensors, numbers, text and containers of these, and refuses all
else that a pickle may ask for. Nothing that it returns is called, and nothing but tensors is kept.
"""

import re
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from understudy.core.errors import DataError, UsageError
from understudy.core.files import read_given
from understudy.engine.checkpoint import tensors_from

SAFETENSORS = ".safetensors"
START = 512  # bytes of a file that tell what it is
ZIP = b"PK\x03\x04"  # torch has written zip archives since 1.6, and plain pickles before
PICKLE = b"\x80"
NOT_WEIGHTS = {
    b"<": "a web page: it was saved in the place of a file. Download the file itself again",
    b"version https://git-lfs": "a pointer of Git LFS: fetch the file itself with `git lfs pull`",
    b"\x1f\x8b": "packed by gzip. Unpack it first, and name the file that was inside",
    b"\x93NUMPY": "an array of numpy. Save its tensors as safetensors",
}
"""How files begin that are often taken for weights, and what they are."""
DEEPEST = 8  # containers in each other: a trainer's checkpoint has four
REFUSED = re.compile(r"(?i:unsupported) (?:global: )?(?:GLOBAL|class) ([\w.]+)")
"""How torch's loader says what it does not build."""
ADVICE = "Weights only load failed"  # behind it torch tells how to do without the guard; we do not


def tensors_in(path: Path) -> dict[str, Tensor]:
    """The tensors of a file, safetensors or what `torch.save` wrote, by dotted name.

    A name is where the tensor lies: `state_dict.module.encoder_q.conv1.weight`.

    Raises:
        UsageError: The file cannot be read.
        DataError: It is damaged, or holds what is no weight.
    """
    if path.suffix == SAFETENSORS:
        return tensors_from(read_given(path), origin=path)
    _must_look_like_weights(path)
    found = dict(_tensors(_unpickled(path), (), set()))
    size = path.stat().st_size
    bombs = [name for name, tensor in found.items() if tensor.nbytes > size]
    if bombs:  # a stride of 0 makes any size of a few bytes
        raise DataError(f"{path}: damaged, {bombs[0]} is larger than the file that holds it.")
    return found


def _must_look_like_weights(path: Path) -> None:
    """Names what a file is, where its first bytes tell that it cannot hold weights.

    Raises:
        DataError: It cannot.
    """
    start = _start_of(path)
    if not start:
        raise DataError(f"{path}: is empty. Was its download stopped? Fetch it again.")
    for mark, what in NOT_WEIGHTS.items():
        if start.lstrip().startswith(mark):
            raise DataError(f"{path}: holds no weights, but is {what}.")
    if not start.startswith(ZIP):
        return
    if not zipfile.is_zipfile(path):
        raise DataError(_cut_short(path))
    with zipfile.ZipFile(path) as archive:
        inside = sum(each.file_size for each in archive.infolist())
    if inside > path.stat().st_size:  # torch compresses nothing; this may fill the memory
        raise DataError(f"{path}: damaged, it would unpack to {inside:,} bytes. {_WANTED}")


def _start_of(path: Path) -> bytes:
    """The first bytes of a file that the user named.

    Raises:
        UsageError: It cannot be read.
    """
    try:
        with path.open("rb") as stream:
            return stream.read(START)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror}).") from error


def _unpickled(path: Path) -> Any:
    """What torch's weights-only loader makes of a file.

    Raises:
        DataError: It refuses the file, or cannot read it.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the pickle's version, which says nothing to users
            return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged file may be wrong in any way
        raise DataError(_why_not(path, error)) from error


def _why_not(path: Path, error: Exception) -> str:
    told = str(error)
    if not _start_of(path).startswith((ZIP, PICKLE)):
        return f"{path}: holds no weights, and nothing that torch wrote. {_WANTED}"
    if "TorchScript" in told:
        return (
            f"{path}: is a TorchScript program and no weights. Save the model's `state_dict()` "
            "as safetensors, and import that."
        )
    if isinstance(error, EOFError) or "EOF" in told or "central directory" in told:
        return _cut_short(path)
    if ADVICE not in told:
        reason = next(iter(told.splitlines()), "")[:100] or type(error).__name__
        return f"{path}: cannot be read as weights ({reason}). {_WANTED}"
    refused = REFUSED.search(told)
    return (
        f"{path}: is refused: beside weights it asks for {refused[1] if refused else 'more'}, and "
        "a pickle that may ask for anything can run code. Where you trust the file, save its "
        "weights alone in the program that it is from, as safetensors or by "
        "`torch.save(model.state_dict(), FILE)`, and import that."
    )


_WANTED = "Name a file that `torch.save` wrote (.pth, .pt, .pth.tar), or safetensors."


def _cut_short(path: Path) -> str:
    return (
        f"{path}: ends too early, after {path.stat().st_size:,} bytes. Was its download stopped? "
        "Fetch it again, and compare its size."
    )


def _tensors(value: Any, place: tuple[str, ...], seen: set[int]) -> Iterator[tuple[str, Tensor]]:
    """Every dense tensor, wherever it lies; a container that holds itself is entered once."""
    if isinstance(value, Tensor):
        if value.layout is torch.strided and not value.is_quantized:
            yield ".".join(place), value.detach()
        return
    if id(value) in seen or len(place) > DEEPEST:
        return
    seen.add(id(value))
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _tensors(inner, (*place, str(key)), seen)
    elif isinstance(value, list | tuple):
        for position, inner in enumerate(value):
            yield from _tensors(inner, (*place, str(position)), seen)
