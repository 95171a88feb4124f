import json
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray

from understudy.core.errors import MissingResourceError, StorageError
from understudy.engine.machine import instructions
from understudy.evaluation.exported import Exported
from understudy.evaluation.int8 import quantiser, write_int8

SATURATES = not [name for name in instructions() if name not in ("avx2", "avx512f", "asimd")]
"""Without instructions that multiply 8 bits, ONNX Runtime adds two products in 16 bits, which
clips what is larger; so its documentation on quantisation."""
NEARLY = 0.25 if SATURATES else 0.1  # of the range of the answers


pytestmark = pytest.mark.slow  # they share an export, which takes a moment


@pytest.fixture(scope="module")
def int8_file(
    student_file: Path, pixels: NDArray[np.uint8], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    path = tmp_path_factory.mktemp("int8") / "student.int8.onnx"
    write_int8(student_file, path=path, pixels=pixels)
    return path


def test_it_answers_nearly_as_the_file_in_float32_in_every_batch_size(
    int8_file: Path, student_file: Path, pixels: NDArray[np.uint8]
) -> None:
    last = pixels.transpose(0, 2, 3, 1)
    wanted, served = Exported(student_file, threads=1)(last), Exported(int8_file, threads=1)

    for batch in (1, 7, len(last)):
        found = served(last[:batch])

        assert np.abs(found - wanted[:batch]).max() < NEARLY * (wanted.max() - wanted.min())


def test_convolutions_take_quantised_weights_of_each_channel(int8_file: Path) -> None:
    model = onnx.load(int8_file)
    weights = {one.name: one for one in model.graph.initializer}
    steps = {node.output[0]: node for node in model.graph.node}

    convolutions = [node for node in model.graph.node if node.op_type == "Conv"]
    assert len(convolutions) == 2
    for node in convolutions:
        step = steps[node.input[1]]
        assert step.op_type == "DequantizeLinear"
        assert weights[step.input[0]].data_type == onnx.TensorProto.INT8
        assert list(weights[step.input[1]].dims) == list(weights[step.input[0]].dims)[:1]
    softmax = next(node for node in model.graph.node if node.op_type == "Softmax")
    assert steps.get(softmax.output[0]) is softmax


def test_it_says_all_that_the_file_in_float32_says(int8_file: Path, student_file: Path) -> None:
    told, wanted = (
        {entry.key: entry.value for entry in onnx.load(path).metadata_props}
        for path in (int8_file, student_file)
    )

    assert told == {**wanted, "numbers": "int8"}
    assert json.loads(told["classes"]) == ["ant", "bee", "cat"]


def test_it_needs_no_other_file_and_leaves_none(int8_file: Path) -> None:
    assert [path.name for path in int8_file.parent.iterdir()] == ["student.int8.onnx"]


def test_the_same_images_give_the_same_file(
    int8_file: Path, student_file: Path, pixels: NDArray[np.uint8], tmp_path: Path
) -> None:
    write_int8(student_file, path=tmp_path / "again.onnx", pixels=pixels)

    assert (tmp_path / "again.onnx").read_bytes() == int8_file.read_bytes()


def test_a_refusing_disk_leaves_nothing(
    student_file: Path,
    pixels: NDArray[np.uint8],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)

    with pytest.raises(StorageError, match="disk is full"):
        write_int8(student_file, path=tmp_path / "a.int8.onnx", pixels=pixels)

    assert not list(tmp_path.iterdir())


def test_without_the_quantiser_the_message_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime.quantization", None)

    with pytest.raises(MissingResourceError, match="pip install onnx") as caught:
        quantiser()

    assert caught.value.exit_code == 7
