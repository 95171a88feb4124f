import os
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from tests.traps import pickled_trap

from understudy.core.errors import DataError, UsageError
from understudy.engine.foreign_weights import tensors_in

ONE = torch.arange(3.0)


def saved(content: Any, folder: Path, **options: Any) -> Path:
    torch.save(content, folder / "file.pth", **options)
    return folder / "file.pth"


@pytest.mark.parametrize("zipped", [True, False])
def test_a_tensor_is_called_after_its_place(zipped: bool, tmp_path: Path) -> None:
    content = {
        "epoch": 3,
        "arch": "resnet50",
        "state_dict": {"module.conv1.weight": torch.nn.Parameter(ONE)},
        "rest": [1.0, (ONE + 1, None)],
    }

    found = tensors_in(saved(content, tmp_path, _use_new_zipfile_serialization=zipped))

    assert list(found) == ["state_dict.module.conv1.weight", "rest.1.0"]
    assert torch.equal(found["state_dict.module.conv1.weight"], ONE)
    assert not any(tensor.requires_grad for tensor in found.values())


def test_safetensors_are_read_without_a_pickle(tmp_path: Path) -> None:
    file = tmp_path / "file.safetensors"
    save_file({"a.b": ONE}, file)
    trap = tmp_path / "trap.safetensors"
    trap.write_bytes(pickled_trap(tmp_path / "sprung"))

    assert torch.equal(tensors_in(file)["a.b"], ONE)
    with pytest.raises(UsageError, match="not a safetensors file"):
        tensors_in(trap)
    assert not (tmp_path / "sprung").exists()


def test_a_program_of_torchscript_is_no_weights(tmp_path: Path) -> None:
    file = tmp_path / "program.pt"
    with pytest.warns(Warning):  # torch deprecates what others still publish
        torch.jit.save(torch.jit.script(torch.nn.Linear(1, 1)), file)

    with pytest.raises(DataError, match=r"TorchScript program.*state_dict"):
        tensors_in(file)


def test_a_file_that_may_not_be_read_says_so(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        tensors_in(tmp_path / "absent.pth")


class Shell:
    """Would run a command where a pickle is built as it asks."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("false",)


def test_what_a_pickle_asks_for_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"asks for (posix|nt)\.system, and a pickle"):
        tensors_in(saved({"weight": ONE, "more": Shell()}, tmp_path))


def test_a_file_that_unpacks_to_more_than_itself_is_refused_unread(tmp_path: Path) -> None:
    plain = saved({"weight": torch.zeros(100_000)}, tmp_path)
    packed = tmp_path / "packed.pth"
    with (
        zipfile.ZipFile(plain) as source,
        zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for each in source.infolist():
            target.writestr(each.filename, source.read(each))

    with pytest.raises(DataError, match="would unpack to 40"):
        tensors_in(packed)
