"""An exported file again with weights and activations of eight bits (static QDQ quantisation)."""

from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType

import numpy as np
import onnx

from understudy.core.depth import Pixels
from understudy.core.errors import MissingResourceError, UsageError
from understudy.core.files import write_bytes
from understudy.evaluation.onnx_file import INPUT
from understudy.evaluation.quiet import quiet

QUANTISED = ("Conv", "Gemm", "MatMul", "Add", "Relu", "MaxPool", "GlobalAveragePool")
"""Operations that compute in int8. Softmax and the pixels' own arithmetic stay in float32: they
cost nothing, and a probability has more than 256 steps."""
BATCH = 32  # images shown at once while ranges are measured; it changes no range


def quantiser() -> ModuleType:
    """ONNX Runtime's quantisation.

    Raises:
        MissingResourceError: It, or what it needs, is not installed.
    """
    try:
        import onnxruntime.quantization as found  # a second that other exports need not wait
    except ImportError as error:
        raise MissingResourceError(
            f"int8 needs ONNX Runtime's quantisation, which cannot be loaded ({error}): "
            "`pip install onnx onnxruntime`, or leave `int8` out."
        ) from error
    module: ModuleType = found
    return module


def write_int8(exported: Path, *, path: Path, pixels: Pixels) -> None:
    """Quantises an exported file: weights per channel, activations by the ranges seen on images.

    Args:
        exported: What `write_onnx` wrote; its metadata are kept.
        path: Where to write, whole or not at all.
        pixels: Images [N, C, H, W] to measure ranges on: training images, never test images.

    Raises:
        MissingResourceError: The quantisation is not here.
        UsageError: It cannot quantise this network.
        StorageError: The disk refuses.
    """
    quantization = quantiser()
    model = onnx.load(exported, load_external_data=False)
    properties = {entry.key: entry.value for entry in model.metadata_props}
    with TemporaryDirectory() as folder, quiet():
        written = Path(folder) / "int8.onnx"
        try:
            quantization.quantize_static(
                model,
                written,
                _Reader(pixels.transpose(0, 2, 3, 1)),
                quant_format=quantization.QuantFormat.QDQ,
                op_types_to_quantize=list(QUANTISED),
                per_channel=True,
                activation_type=quantization.QuantType.QUInt8,
                weight_type=quantization.QuantType.QInt8,
            )
        except Exception as error:  # whatever it raises at a graph that it does not understand
            reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
            raise UsageError(
                f"This network cannot be quantised: {reason}. Leave `int8` out; the file in "
                "float32 is not concerned."
            ) from error
        found = onnx.load(written, load_external_data=False)
    onnx.helper.set_model_props(found, {**properties, "numbers": "int8"})
    onnx.checker.check_model(found, full_check=True)
    write_bytes(path, found.SerializeToString(deterministic=True))


class _Reader:
    """Images in batches, as ONNX Runtime asks for them: a dictionary at a time, then None."""

    def __init__(self, pixels: Pixels) -> None:
        self._batches = iter(
            [pixels[start : start + BATCH] for start in range(0, len(pixels), BATCH)]
        )

    def get_next(self) -> dict[str, Pixels] | None:
        """The next batch, by the name of the input."""
        batch = next(self._batches, None)
        return None if batch is None else {INPUT: np.ascontiguousarray(batch)}
