"""An exported file, loaded the way its users load it: by onnxruntime alone."""

import json
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from numpy.typing import NDArray
from torch import Tensor

from understudy.core.depth import DEPTHS, Depth, Pixels
from understudy.core.errors import UsageError
from understudy.data.views import as_pixels
from understudy.evaluation.onnx_file import INPUT, OUTPUTS, output_classes
from understudy.evaluation.preparation import Preparation, preparation_of

_DEPTHS = {onnx.helper.np_dtype_to_tensor_dtype(np.dtype(depth)): depth for depth in DEPTHS}
MOST_BYTES = 2**31 - 1  # of a protobuf message; what claims more is not worth the memory


class Exported:
    """A classifier in a file: pixels in, logits out.

    Args:
        path: What `write_onnx` wrote.
        threads: How many threads it may use; None: all cores.

    Raises:
        UsageError: The file is none of ours, refers to other files, or contradicts itself.
    """

    def __init__(self, path: Path, *, threads: int | None) -> None:
        content = _content(path)
        model = _parsed(path, content)
        self.path = path
        self.classes = _classes(path, model)
        self.size, self.channels, self.depth = _input(path, model)
        properties = {entry.key: entry.value for entry in model.metadata_props}
        self.temperature = _temperature(path, properties)
        self.run = properties.get("run", "")
        self._preprocessing = properties.get("preprocessing", "")
        self._session = _session(path, content, threads)

    @property
    def preparation(self) -> Preparation:
        """How image files become its pixels.

        Raises:
            UsageError: It does not say so.
        """
        try:
            told = json.loads(self._preprocessing)["file"] or {}
        except (ValueError, TypeError, KeyError, RecursionError):
            told = {}
        told = told if isinstance(told, dict) else {}
        return preparation_of(told, size=self.size, channels=self.channels, origin=self.path)

    def __call__(self, pixels: Pixels) -> NDArray[np.float32]:
        """Logits [B, K] of pixels [B, H, W, C].

        Raises:
            UsageError: The file cannot answer so many at once, or not at all.
        """
        try:
            (logits,) = self._session.run([OUTPUTS[0]], {INPUT: pixels})
        except Exception as error:  # its classes have no common base but this
            reason = str(error).strip().splitlines()[0]
            raise UsageError(
                f"{self.path}: cannot answer a batch of {len(pixels)} ({reason})."
            ) from error
        return np.asarray(logits, dtype=np.float32)

    def predict(self, images: Tensor) -> Tensor:
        """As a `Predict`: images [B, C, H, W] in [0, 1] to logits; rounded to its pixels."""
        pixels = as_pixels(images, self.depth)
        return torch.from_numpy(self(pixels.permute(0, 2, 3, 1).numpy(force=True)))


def _content(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise UsageError(
                f"{path}: {size:,} bytes; an ONNX file holds at most {MOST_BYTES:,}. It is damaged."
            )
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror}).") from error


def _parsed(path: Path, content: bytes) -> onnx.ModelProto:
    try:
        model = onnx.load_model_from_string(content)
        # Before all else: whatever reads the model further may open those files.
        strays = [tensor.name for tensor in _tensors(model) if _is_elsewhere(tensor)]
        if strays:
            raise UsageError(
                f"{path}: keeps {len(strays)} of its tensors in other files (first {strays[0]!r}), "
                f"and those could be any files of this machine. Export it as one file."
            )
        onnx.checker.check_model(model)
    except (DecodeError, onnx.checker.ValidationError) as error:
        reason = str(error).strip().splitlines()[0]
        raise UsageError(f"{path}: damaged, or not an ONNX file ({reason}).") from error
    return model


def _classes(path: Path, model: onnx.ModelProto) -> tuple[str, ...]:
    properties = {entry.key: entry.value for entry in model.metadata_props}
    names = [value.name for value in (*model.graph.input, *model.graph.output)]
    if "classes" not in properties or names != [INPUT, *OUTPUTS]:
        raise UsageError(
            f"{path}: `understudy export` did not write this file: it must take `{INPUT}`, give "
            f"{' and '.join(OUTPUTS)}, and hold class names; found {', '.join(names)}."
        )
    try:
        classes = tuple(str(name) for name in json.loads(properties["classes"]))
    except (ValueError, TypeError):
        classes = ()
    if len(classes) != output_classes(model):
        raise UsageError(
            f"{path}: names {len(classes)} classes but answers with {output_classes(model)}; "
            f"it was changed after its export. Export it again."
        )
    return classes


def _temperature(path: Path, properties: Mapping[str, str]) -> float:
    try:
        found = float(properties.get("temperature", "1"))
    except ValueError:
        found = 0.0
    if not 0 < found < float("inf"):
        raise UsageError(
            f"{path}: its temperature is {properties['temperature'][:40]!r}, not a number above "
            "zero; it was changed after its export. Export it again."
        )
    return found


def _input(path: Path, model: onnx.ModelProto) -> tuple[int, int, Depth]:
    """H (equal to W) and C of [B, H, W, C], and the pixels' type."""
    pixels = model.graph.input[0].type.tensor_type
    sizes = [dimension.dim_value for dimension in pixels.shape.dim]
    depth = _DEPTHS.get(pixels.elem_type)
    if depth is None or len(sizes) != 4 or 0 in sizes[1:]:
        raise UsageError(
            f"{path}: `{INPUT}` must be {' or '.join(DEPTHS)} [B, H, W, C] with known H, W and C."
        )
    return int(sizes[1]), int(sizes[3]), depth


def _session(path: Path, content: bytes, threads: int | None) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or 0  # 0: onnxruntime's word for all cores
    options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors only; the rest is for its developers
    try:
        # From the bytes that were checked: the file may have changed since.
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its classes have no common base but this
        reason = str(error).strip().splitlines()[0]
        raise UsageError(f"{path}: onnxruntime cannot run it ({reason}).") from error


def _is_elsewhere(tensor: onnx.TensorProto) -> bool:
    return bool(tensor.data_location == onnx.TensorProto.EXTERNAL)


def _tensors(model: onnx.ModelProto) -> Iterator[onnx.TensorProto]:
    """Every tensor of a model, at any depth."""
    for graph in (model.graph, *(info.algorithm for info in model.training_info)):
        yield from _graph_tensors(graph)
    for function in model.functions:
        yield from _node_tensors(function.node)


def _graph_tensors(graph: onnx.GraphProto) -> Iterator[onnx.TensorProto]:
    yield from graph.initializer
    yield from chain.from_iterable((one.values, one.indices) for one in graph.sparse_initializer)
    yield from _node_tensors(graph.node)


def _node_tensors(nodes: Iterator[onnx.NodeProto]) -> Iterator[onnx.TensorProto]:
    for attribute in chain.from_iterable(node.attribute for node in nodes):
        yield from (attribute.t, *attribute.tensors)
        for sparse in (attribute.sparse_tensor, *attribute.sparse_tensors):
            yield from (sparse.values, sparse.indices)
        if attribute.HasField("g"):
            yield from _graph_tensors(attribute.g)
        for graph in attribute.graphs:
            yield from _graph_tensors(graph)
