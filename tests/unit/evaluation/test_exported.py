import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from understudy.core.errors import UsageError
from understudy.evaluation.exported import Exported

WEIGHTS = np.arange(32, dtype=np.float32).reshape(16, 2) / 100


def small_model() -> onnx.ModelProto:
    """What `write_onnx` writes, by hand: 4 x 4 pixels of one channel to two classes."""
    nodes = [
        helper.make_node("Cast", ["image"], ["float"], to=TensorProto.FLOAT),
        helper.make_node("Flatten", ["float"], ["flat"]),
        helper.make_node("MatMul", ["flat", "weights"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"]),
    ]
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("image", TensorProto.UINT8, ["batch", 4, 4, 1])],
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", 2])
            for name in ("logits", "probabilities")
        ],
        [numpy_helper.from_array(WEIGHTS, "weights")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    helper.set_model_props(model, {"classes": json.dumps(["Füchse", "bee"])})
    return model


def saved(model: onnx.ModelProto, folder: Path) -> Path:
    path = folder / "student.onnx"
    path.write_bytes(model.SerializeToString())
    return path


def test_a_file_answers_and_tells_its_classes_and_sizes(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (3, 4, 4, 1), dtype=np.uint8)

    exported = Exported(saved(small_model(), tmp_path), threads=1)

    np.testing.assert_allclose(exported(pixels), pixels.reshape(3, 16) @ WEIGHTS, rtol=1e-5)
    assert exported(pixels).dtype == np.float32
    assert exported.classes == ("Füchse", "bee")
    assert (exported.size, exported.channels) == (4, 1)


def test_the_number_of_threads_changes_no_answer(tmp_path: Path) -> None:
    path, pixels = saved(small_model(), tmp_path), np.full((2, 4, 4, 1), 9, dtype=np.uint8)

    one, all_cores = Exported(path, threads=1), Exported(path, threads=None)

    np.testing.assert_allclose(one(pixels), all_cores(pixels))


def test_a_file_serves_wherever_a_network_predicts(tmp_path: Path) -> None:
    exported = Exported(saved(small_model(), tmp_path), threads=1)
    pixels = torch.randint(0, 256, (3, 1, 4, 4), dtype=torch.uint8)

    logits = exported.predict(pixels.float() / 255)

    expected = torch.from_numpy(exported(pixels.permute(0, 2, 3, 1).numpy()))
    assert torch.equal(logits, expected)


def in_the_weights(model: onnx.ModelProto) -> Any:
    (weights,) = model.graph.initializer
    return weights


def in_an_attribute(model: onnx.ModelProto) -> Any:
    constant = helper.make_node("Constant", [], ["spare"], value=in_the_weights(model))
    model.graph.node.append(constant)
    return model.graph.node[-1].attribute[0].t


def in_a_branch(model: onnx.ModelProto) -> Any:
    spare = helper.make_tensor_value_info("spare", TensorProto.FLOAT, [16, 2])
    branch = helper.make_graph([], "branch", [], [spare], [in_the_weights(model)])
    model.graph.node.append(
        helper.make_node("If", ["image"], ["spare"], then_branch=branch, else_branch=branch)
    )
    return model.graph.node[-1].attribute[0].g.initializer[0]


def in_a_function(model: onnx.ModelProto) -> Any:
    constant = helper.make_node("Constant", [], ["spare"], value=in_the_weights(model))
    function = helper.make_function("ours", "Spare", [], ["spare"], [constant], [])
    model.functions.append(function)
    return model.functions[0].node[0].attribute[0].t


def in_a_sparse_weight(model: onnx.ModelProto) -> Any:
    sparse = model.graph.sparse_initializer.add()
    sparse.values.CopyFrom(in_the_weights(model))
    return sparse.values


@pytest.mark.parametrize(
    "place", [in_the_weights, in_an_attribute, in_a_branch, in_a_function, in_a_sparse_weight]
)
@pytest.mark.parametrize("location", ["../../etc/passwd", "weights.bin"])
def test_tensors_in_other_files_are_refused_wherever_they_hide(
    place: Callable[[onnx.ModelProto], Any], location: str, tmp_path: Path
) -> None:
    model = small_model()
    stray = place(model)
    stray.ClearField("raw_data")
    stray.data_location = TensorProto.EXTERNAL
    stray.external_data.add(key="location", value=location)
    (tmp_path / "weights.bin").write_bytes(WEIGHTS.tobytes())

    with pytest.raises(UsageError, match="in other files"):
        Exported(saved(model, tmp_path), threads=1)


@pytest.mark.parametrize("names", ['["ant"]', '["ant", "bee", "cat"]', "7", "not JSON"])
def test_class_names_that_do_not_fit_the_answers_are_refused(names: str, tmp_path: Path) -> None:
    model = small_model()
    helper.set_model_props(model, {"classes": names})

    with pytest.raises(UsageError, match="answers with 2"):
        Exported(saved(model, tmp_path), threads=1)


def test_a_file_without_class_names_is_not_ours(tmp_path: Path) -> None:
    model = small_model()
    del model.metadata_props[:]

    with pytest.raises(UsageError, match="did not write this file"):
        Exported(saved(model, tmp_path), threads=1)


def test_a_file_that_takes_other_pixels_is_refused(tmp_path: Path) -> None:
    model = small_model()
    model.graph.input[0].type.tensor_type.shape.dim[1].dim_param = "height"

    with pytest.raises(UsageError, match="known H, W and C"):
        Exported(saved(model, tmp_path), threads=1)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 a zip", b"\x80\x04 a pickle"])
def test_another_kind_of_file_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "student.onnx"
    path.write_bytes(content)

    with pytest.raises(UsageError, match="not an ONNX file"):
        Exported(path, threads=1)


def test_a_truncated_file_is_refused(tmp_path: Path) -> None:
    path = saved(small_model(), tmp_path)
    path.write_bytes(path.read_bytes()[:-60])

    with pytest.raises(UsageError, match=r"student\.onnx"):
        Exported(path, threads=1)


def test_an_operation_that_the_runtime_lacks_is_named(tmp_path: Path) -> None:
    model = small_model()
    model.graph.node[0].domain = "somewhere.else"
    model.opset_import.append(helper.make_opsetid("somewhere.else", 1))

    with pytest.raises(UsageError, match="cannot run it"):
        Exported(saved(model, tmp_path), threads=1)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"absent\.onnx: cannot be read"):
        Exported(tmp_path / "absent.onnx", threads=1)


@pytest.mark.parametrize("temperature", ["0", "-1", "nan", "inf", "warm", ""])
def test_a_temperature_that_is_none_is_refused(temperature: str, tmp_path: Path) -> None:
    model = small_model()
    classes = model.metadata_props[0].value
    helper.set_model_props(model, {"classes": classes, "temperature": temperature})

    with pytest.raises(UsageError, match="not a number above zero"):
        Exported(saved(model, tmp_path), threads=1)


@pytest.mark.parametrize("told", ["", "[]", '{"file": null}', '{"file": 7}', "[" * 100_000])
def test_a_file_that_does_not_say_how_files_become_pixels_is_asked_in_vain(
    told: str, tmp_path: Path
) -> None:
    model = small_model()
    classes = model.metadata_props[0].value
    helper.set_model_props(model, {"classes": classes, "preprocessing": told})
    exported = Exported(saved(model, tmp_path), threads=1)

    with pytest.raises(UsageError, match="does not say how image files"):
        _ = exported.preparation


def test_a_huge_file_is_refused_unread(tmp_path: Path) -> None:
    path = saved(small_model(), tmp_path)
    os.truncate(path, 1 << 40)  # a terabyte of holes

    with pytest.raises(UsageError, match="at most"):
        Exported(path, threads=1)
