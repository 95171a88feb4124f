"""A classifier as one ONNX file that needs nothing beside it: raw pixels in, answers out."""

import copy
import json
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

import onnx
import torch
from torch import Tensor, nn

from understudy.core.depth import Depth, white
from understudy.core.errors import MissingResourceError, UsageError
from understudy.core.files import write_bytes
from understudy.core.types import Outputs, Tap
from understudy.evaluation.preparation import Preparation
from understudy.evaluation.quiet import quiet

INPUT, OUTPUTS = "image", ("logits", "probabilities")
OPSET = 18  # what torch's exporter is written in: nothing is converted, and every runtime has it


class _Served(nn.Module):
    """A network behind the interface of the file."""

    def __init__(self, network: nn.Module, temperature: float, depth: Depth) -> None:
        super().__init__()
        self.network, self.temperature, self.white = network, temperature, white(depth)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Pixels [B, H, W, C], of 8 or 16 bits, to logits and probabilities [B, K]."""
        # Contiguous: else later layers export as channels-last, with gathers to undo it.
        pixels = image.permute(0, 3, 1, 2).contiguous().to(torch.float32) / self.white
        outputs: Outputs = self.network(pixels, frozenset({Tap.LOGITS}))
        if outputs.logits is None:
            raise UsageError(
                "This network has no classifier, so there are no answers to export. "
                "Fine-tune it first, and export that run."
            )
        return outputs.logits, (outputs.logits / self.temperature).softmax(dim=1)


def write_onnx(
    network: nn.Module,
    *,
    path: Path,
    classes: Sequence[str],
    channels: int,
    size: int,
    temperature: float,
    preparation: Preparation | None,
    extra: Mapping[str, str],
    depth: Depth = "uint8",
    bands: Sequence[str] = (),
) -> None:
    """Exports a network: `image`, pixels [B, H, W, C], to `logits` and `probabilities` [B, K].

    The file holds its weights, the class names and what happens to the pixels; the batch is free.
    The network itself is not touched: a copy is exported, in float32, from the CPU.

    Args:
        network: Images [B, C, H, W] in [0, 1] and taps to `Outputs`.
        path: Where to write; an existing file is replaced, whole.
        classes: K names, in the order of the logits.
        channels: C, any.
        size: H and W.
        temperature: Divides the logits before the softmax that gives the probabilities.
        preparation: How an image file becomes pixels; None where no image files are meant.
        extra: Further metadata, such as the run; may refine `version`.
        depth: Type of the pixels, whose largest value is 1 to the network.
        bands: Names of the channels, where they are not those of photographs.

    Raises:
        UsageError: The network has no classifier, has another number of classes, or holds an
            operation that ONNX cannot express.
        MissingResourceError: A library of the exporter is not here.
        StorageError: The disk refuses.
    """
    served = _Served(copy.deepcopy(network).float().cpu(), temperature, depth).eval()
    example = torch.zeros(
        2, size, size, channels, dtype=getattr(torch, depth)
    )  # a batch of 1 would stay 1
    _require_names_for_all(served, example, classes)

    model = _exported(served, example)
    _forget_where_it_came_from(model)
    properties = {
        "version": version("understudy"),
        **extra,
        **_contract(classes, size, preparation, depth, bands, channels),
        "temperature": repr(float(temperature)),
    }
    onnx.helper.set_model_props(model, properties)
    onnx.checker.check_model(model, full_check=True)
    write_bytes(path, model.SerializeToString(deterministic=True))


def output_classes(model: onnx.ModelProto) -> int:
    """K as the graph itself declares it."""
    return int(model.graph.output[0].type.tensor_type.shape.dim[1].dim_value)


def _contract(
    classes: Sequence[str],
    size: int,
    preparation: Preparation | None,
    depth: Depth,
    bands: Sequence[str],
    channels: int,
) -> dict[str, str]:
    preprocessing = {
        "file": preparation.as_json() if preparation else None,
        "steps": preparation.in_words() if preparation else [],
        "input": {"name": INPUT, "type": depth, "layout": "BHWC"},
        "height": size,
        "width": size,
        "channels": channels,
        **({"bands": list(bands)} if bands else {}),
        "inside": [
            "layout to BCHW",
            f"division by {white(depth)}",
            "normalisation by mean and deviation",
        ],
    }
    return {"classes": json.dumps(list(classes)), "preprocessing": json.dumps(preprocessing)}


def _require_names_for_all(served: _Served, example: Tensor, classes: Sequence[str]) -> None:
    with torch.no_grad():
        found = served(example)[0].shape[1]
    if found != len(classes):
        raise UsageError(
            f"The network tells {found} classes apart, but {len(classes)} names were given "
            f"({', '.join(classes[:5])}, ...). Export it with the classes of its own run."
        )


def _exported(served: _Served, example: Tensor) -> onnx.ModelProto:
    try:
        with quiet(), torch.no_grad():
            program = torch.onnx.export(
                served,
                (example,),
                input_names=[INPUT],
                output_names=OUTPUTS,
                dynamic_shapes={"image": {0: torch.export.Dim("batch", min=1)}},
                opset_version=OPSET,
                dynamo=True,
                verbose=False,
            )
    except ModuleNotFoundError as error:
        raise MissingResourceError(
            f"The exporter needs {error.name}, which is not installed: `pip install {error.name}`."
        ) from error
    except torch.onnx.OnnxExporterError as error:
        reason = next(filter(None, str(error.__cause__ or error).splitlines()), "no reason given")
        raise UsageError(
            f"This network cannot be written as ONNX: {reason.rstrip('.')}. "
            f"Its weights stay in its run as safetensors; choose another backbone to export."
        ) from error
    assert program is not None, "The exporter returns a program unless it is given a file."
    return program.model_proto


def _forget_where_it_came_from(model: onnx.ModelProto) -> None:
    """Drops the exporter's notes on every node: source lines and paths of this machine."""
    for scope in (model.graph, *model.functions):
        parts = (scope, *scope.node, *scope.value_info)
        named = (*model.graph.input, *model.graph.output, *model.graph.initializer)
        for part in (*parts, *named):
            part.ClearField("metadata_props")
            part.ClearField("doc_string")
