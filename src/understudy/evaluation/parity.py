"""Whether an exported file answers as the network did, in every batch size."""

import copy
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from understudy.core.depth import Pixels
from understudy.core.errors import DivergedError, UsageError
from understudy.data.views import as_floats
from understudy.evaluation.exported import Exported
from understudy.evaluation.predict import Predictor

BATCHES = (1, 2, 7, 32)  # 1: specialised by mistake; 2: the exporter's example; 7: odd; 32: usual
MOST_IN_SMALL_BATCHES = 64  # a frozen batch shows at once; drift is measured in the largest batch
TOLERANCE = 1e-3  # absolute and relative together; float32 differs by 1e-5 between two kernels
LEAST_AGREEMENT = 0.999


class Parity(NamedTuple):
    """How a file compared with its network."""

    images: int
    """Different images that were shown to both."""
    batches: tuple[int, ...]
    max_difference: float
    """Largest difference of two logits."""
    agreement: float
    """Share of answers (0-1) that name the same class."""


def parity(network: nn.Module, exported: Exported, pixels: Pixels) -> Parity:
    """Shows real images to a network and to its file, and compares.

    The network answers in float32 on the CPU, whatever it was trained in and on: the file does.

    Args:
        network: What was exported.
        exported: Where it was exported to.
        pixels: Images [N, C, H, W], at least one; 512 make the agreement mean something.

    Raises:
        DivergedError: The file answers differently; it must not be used.
    """
    needed = np.arange(max(len(pixels), *BATCHES)) % len(pixels)  # repeats, to fill a large batch
    shown = pixels[needed]
    expected = reference_logits(network, shown)
    counts = [len(shown) if batch == max(BATCHES) else MOST_IN_SMALL_BATCHES for batch in BATCHES]
    found = [
        _answers(exported, shown[:count], batch=batch)
        for batch, count in zip(BATCHES, counts, strict=True)
    ]
    wanted = [expected[:count] for count in counts]

    return _judged(np.concatenate(found), np.concatenate(wanted), images=len(pixels))


def _answers(exported: Exported, pixels: Pixels, *, batch: int) -> NDArray[np.float32]:
    last = pixels.transpose(0, 2, 3, 1)
    try:
        return np.concatenate(
            [exported(last[start : start + batch]) for start in range(0, len(last), batch)]
        )
    except UsageError as error:
        raise DivergedError(
            f"The exported file does not answer in batches of {batch}, though every size from 1 "
            f"up must do: {error} Do not use the file: export again, or choose another backbone."
        ) from error


def reference_logits(network: nn.Module, pixels: Pixels) -> NDArray[np.float32]:
    """What a network answers to pixels [N, C, H, W], in float32 on the CPU: [N, K]."""
    predict = Predictor(copy.deepcopy(network).float().cpu())
    chunks = torch.split(torch.from_numpy(pixels), max(BATCHES))
    return np.concatenate([predict(as_floats(chunk)).numpy() for chunk in chunks])


def _judged(found: NDArray[np.float32], wanted: NDArray[np.float32], *, images: int) -> Parity:
    difference = np.abs(found - wanted)
    agreement = float((found.argmax(axis=1) == wanted.argmax(axis=1)).mean())
    result = Parity(images, BATCHES, float(difference.max()), agreement)

    is_close = difference <= TOLERANCE + TOLERANCE * np.abs(wanted)  # False for NaN, too
    if is_close.all() and agreement >= LEAST_AGREEMENT:
        return result
    raise DivergedError(
        f"The exported file does not answer as its network: logits differ by up to "
        f"{result.max_difference:.2g} (at most {TOLERANCE} absolute plus relative allowed), and "
        f"{agreement:.2%} of {images} images get the same class (at least {LEAST_AGREEMENT:.1%} "
        f"needed). Do not use the file: export again, or choose another backbone."
    )
