import json
import os
import tracemalloc
from pathlib import Path

import pytest
import torch
from safetensors.torch import save

from understudy.core.errors import StorageError
from understudy.engine.tensor_file import must_be_whole

WHOLE = save({"weight": torch.arange(6.0), "bias": torch.zeros(2, dtype=torch.float16)})


def written(folder: Path, content: bytes) -> Path:
    path = folder / "model.safetensors"
    path.write_bytes(content)
    return path


def headed(header: object, data: bytes = b"") -> bytes:
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


@pytest.mark.parametrize("content", [WHOLE, save({}), save({"empty": torch.zeros(0)})])
def test_a_whole_file_is_let_through(content: bytes, tmp_path: Path) -> None:
    must_be_whole(written(tmp_path, content))


@pytest.mark.parametrize("length", range(len(WHOLE)))
def test_a_file_torn_at_any_byte_is_refused(length: int, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="damaged"):
        must_be_whole(written(tmp_path, WHOLE[:length]))


@pytest.mark.parametrize(
    "content",
    [
        WHOLE + b"\0",
        b"\xff" * 64,
        (1 << 62).to_bytes(8, "little") + b"{}",
        headed([]),
        headed({"a": 1}),
        headed({"a": {"data_offsets": []}}),
        headed({"a": {"data_offsets": [0, "x"]}}),
        headed({"a": {"data_offsets": [0, 1 << 60]}}, b"1234"),
        b"\x10" + b"\0" * 7 + b"[" * 16,
    ],
)
def test_a_header_that_lies_is_refused(content: bytes, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="damaged"):
        must_be_whole(written(tmp_path, content))


def test_a_huge_file_is_refused_without_being_read(tmp_path: Path) -> None:
    path = written(tmp_path, WHOLE)
    os.truncate(path, 1 << 40)  # a terabyte of holes

    tracemalloc.start()
    with pytest.raises(StorageError):
        must_be_whole(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < 1 << 20
