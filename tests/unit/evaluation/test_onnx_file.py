import json
import logging
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from understudy.core.errors import MissingResourceError, StorageError, UsageError
from understudy.core.types import Outputs, Tap
from understudy.evaluation.exported import Exported
from understudy.evaluation.onnx_file import write_onnx
from understudy.evaluation.predict import Predictor

Build = Callable[..., nn.Module]
CLASSES = ("ant", "bee", "cat")
PLAIN: dict[str, Any] = {"temperature": 1.0, "preparation": None}


class Unspeakable(nn.Module):
    """Does what ONNX has no operation for."""

    def forward(self, images: Tensor, taps: frozenset[Tap]) -> Outputs:  # noqa: ARG002
        return Outputs(logits=torch.special.airy_ai(images.mean(dim=(2, 3))))


@pytest.mark.slow
def test_the_file_is_one_whole_model_with_a_free_batch(student_file: Path) -> None:
    model = onnx.load(student_file, load_external_data=False)

    onnx.checker.check_model(model, full_check=True)
    (image,) = model.graph.input
    sizes = image.type.tensor_type.shape.dim
    assert sorted(path.name for path in student_file.parent.iterdir()) == ["student.onnx"]
    assert image.name == "image"
    assert image.type.tensor_type.elem_type == onnx.TensorProto.UINT8
    assert sizes[0].dim_param
    assert [size.dim_value for size in sizes[1:]] == [8, 8, 3]
    assert [output.name for output in model.graph.output] == ["logits", "probabilities"]


@pytest.mark.slow
def test_the_file_says_what_it_is(student_file: Path) -> None:
    model = onnx.load(student_file)

    properties = {entry.key: entry.value for entry in model.metadata_props}
    preprocessing = json.loads(properties["preprocessing"])
    assert json.loads(properties["classes"]) == list(CLASSES)
    assert preprocessing["input"] == {"name": "image", "type": "uint8", "layout": "BHWC"}
    assert (preprocessing["height"], preprocessing["width"], preprocessing["channels"]) == (8, 8, 3)
    assert properties["version"]
    assert properties["run"] == "distill/student-0"


@pytest.mark.slow
def test_the_file_tells_nothing_of_the_machine_that_wrote_it(student_file: Path) -> None:
    content = student_file.read_bytes()

    assert b"conftest.py" not in content
    assert b"stack_trace" not in content
    assert str(Path(__file__).parent).encode() not in content


@pytest.mark.slow
def test_the_graph_holds_no_detours_around_a_memory_layout(student_file: Path) -> None:
    operations = {node.op_type for node in onnx.load(student_file).graph.node}

    assert operations.isdisjoint({"Gather", "GatherND", "Range", "ScatterND"})


@pytest.mark.slow
@pytest.mark.parametrize("channels", [1, 4])
def test_any_number_of_channels_is_exported(channels: int, toy: Build, tmp_path: Path) -> None:
    network, path = toy(channels=channels), tmp_path / "student.onnx"
    pixels = torch.randint(0, 256, (5, channels, 8, 8), dtype=torch.uint8)

    write_onnx(network, path=path, classes=CLASSES, channels=channels, size=8, extra={}, **PLAIN)

    exported = Exported(path, threads=1)
    expected = Predictor(network)(pixels.float() / 255).numpy()
    found = exported(pixels.permute(0, 2, 3, 1).numpy())
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_the_network_is_left_as_it_was_and_nothing_is_said(
    toy: Build, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    network = toy(channels=3).train().bfloat16()
    next(iter(network.children())).eval()
    modes = [part.training for part in network.modules()]

    write_onnx(
        network, path=tmp_path / "a.onnx", classes=CLASSES, channels=3, size=8, extra={}, **PLAIN
    )

    said = capfd.readouterr()
    assert said.out == said.err == ""
    assert [part.training for part in network.modules()] == modes
    assert {value.dtype for value in network.parameters()} == {torch.bfloat16}
    assert logging.root.manager.disable == logging.NOTSET


@pytest.mark.slow
def test_warnings_and_log_lines_of_the_exporter_are_not_shown(
    toy: Build,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    export: Any = torch.onnx.export

    def chatty(*arguments: Any, **settings: Any) -> Any:
        warnings.warn("an operator is deprecated", DeprecationWarning, stacklevel=1)
        logging.getLogger("torch.onnx").warning("a pass did nothing")
        return export(*arguments, **settings)

    monkeypatch.setattr(torch.onnx, "export", chatty)

    write_onnx(
        toy(channels=3),
        path=tmp_path / "a.onnx",
        classes=CLASSES,
        channels=3,
        size=8,
        extra={},
        **PLAIN,
    )

    assert "a pass did nothing" not in caplog.messages


def test_names_for_another_number_of_classes_are_refused(toy: Build, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="3 classes apart, but 2 names"):
        write_onnx(
            toy(channels=3),
            path=tmp_path / "a.onnx",
            classes=("ant", "bee"),
            channels=3,
            size=8,
            extra={},
            **PLAIN,
        )

    assert not list(tmp_path.iterdir())


def test_a_network_without_classifier_is_refused(toy: Build, tmp_path: Path) -> None:
    network = toy(channels=3, num_classes=None)

    with pytest.raises(UsageError, match="no classifier"):
        write_onnx(
            network,
            path=tmp_path / "a.onnx",
            classes=CLASSES,
            channels=3,
            size=8,
            extra={},
            **PLAIN,
        )


@pytest.mark.slow
def test_what_onnx_cannot_express_is_named_and_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="airy_ai") as caught:
        write_onnx(
            Unspeakable(),
            path=tmp_path / "a.onnx",
            classes=CLASSES,
            channels=3,
            size=8,
            extra={},
            **PLAIN,
        )

    assert len(str(caught.value).splitlines()) == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_a_refusing_disk_is_a_storage_error_and_the_old_file_stays(
    toy: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "student.onnx"
    path.write_bytes(b"the old one")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)

    with pytest.raises(StorageError, match="disk is full"):
        write_onnx(
            toy(channels=3), path=path, classes=CLASSES, channels=3, size=8, extra={}, **PLAIN
        )

    assert path.read_bytes() == b"the old one"
    assert [entry.name for entry in tmp_path.iterdir()] == ["student.onnx"]


@pytest.mark.slow
def test_the_probabilities_are_the_softmax_of_the_logits(
    student_file: Path, pixels: NDArray[np.uint8]
) -> None:
    session: Any = Exported(student_file, threads=1)._session

    logits, probabilities = session.run(None, {"image": pixels.transpose(0, 2, 3, 1)})

    expected = torch.from_numpy(logits).softmax(dim=1).numpy()
    np.testing.assert_allclose(probabilities, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.slow
def test_a_temperature_flattens_the_probabilities_and_leaves_the_logits(
    student: nn.Module, student_file: Path, pixels: NDArray[np.uint8], tmp_path: Path
) -> None:
    path = tmp_path / "calibrated.onnx"
    write_onnx(
        student,
        path=path,
        classes=CLASSES,
        channels=3,
        size=8,
        temperature=2.5,
        preparation=None,
        extra={},
    )
    exported = Exported(path, threads=1)
    session: Any = exported._session

    logits, probabilities = session.run(None, {"image": pixels.transpose(0, 2, 3, 1)})

    np.testing.assert_allclose(
        logits, Exported(student_file, threads=1)(pixels.transpose(0, 2, 3, 1)), rtol=1e-5
    )
    expected = (torch.from_numpy(logits) / 2.5).softmax(dim=1).numpy()
    np.testing.assert_allclose(probabilities, expected, rtol=1e-5, atol=1e-6)
    assert exported.temperature == 2.5


def test_g6_a_missing_part_of_the_exporter_is_named(
    toy: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lacking(*_: object, **__: object) -> None:
        raise ModuleNotFoundError("No module named 'onnxscript'", name="onnxscript")

    monkeypatch.setattr(torch.onnx, "export", lacking)

    with pytest.raises(MissingResourceError, match="pip install onnxscript") as caught:
        write_onnx(
            toy(channels=3),
            path=tmp_path / "a.onnx",
            classes=CLASSES,
            channels=3,
            size=8,
            extra={},
            **PLAIN,
        )

    assert caught.value.exit_code == 7
