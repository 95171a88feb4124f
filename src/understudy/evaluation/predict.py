"""From a network and images to arrays of answers, in the order in which the images came."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from understudy.core.errors import DataError, UsageError
from understudy.core.progress import Progress
from understudy.core.types import Outputs, Predict, Tap


class Predictions(NamedTuple):
    """What a network answered, and to which images."""

    logits: NDArray[np.float32]
    """[N, K], before softmax."""
    index: NDArray[np.int64]  # type: ignore[assignment]  # tuple.index gives way to the word
    """[N], which image of the pack each row answers to."""


@contextmanager
def evaluating(network: nn.Module) -> Iterator[nn.Module]:
    """Holds a network in evaluation mode without gradients, then gives every part its mode back.

    Parts are restored one by one: a network that trains may hold parts that do not.
    """
    modes = [(part, part.training) for part in network.modules()]
    try:
        with torch.inference_mode():
            yield network.eval()
    finally:
        for part, training in modes:
            part.training = training


class Predictor:
    """A `Predict`: asks a network for its logits and leaves it as it was.

    Args:
        network: Images [B, C, H, W] in [0, 1] and taps to `Outputs`; a `Network` or `Frozen`.
        device: Where the images go before the network sees them; None: where the network lies.
    """

    def __init__(self, network: nn.Module, *, device: torch.device | None = None) -> None:
        self.network, self.device = network, device

    def __call__(self, images: Tensor) -> Tensor:
        """Logits [B, K], float32, on the network's device; not usable where gradients are wanted.

        Raises:
            UsageError: The network has no classifier.
        """
        logits = _answer(self.network, images, tap=Tap.LOGITS, device=self.device).logits
        if logits is None:
            raise UsageError(
                "This network has no classifier, so it cannot name a class: it was trained "
                "without labels. Fine-tune it first, or ask it for features."
            )
        return logits.float()


def logits_of(
    predict: Predict, batches: Iterable[tuple[Tensor, Tensor]], progress: Progress
) -> Predictions:
    """Every image's logits.

    Args:
        predict: Images to logits.
        batches: Images [B, C, H, W] in [0, 1] with their places in the pack [B].
        progress: Advanced by the images done; whoever knows their number begins and ends it.

    Raises:
        DataError: There is no image.
    """
    logits, index = [], []
    for images, places in batches:
        logits.append(_array(predict(images)))
        index.append(places.numpy(force=True))
        progress.advance(len(places))

    _require_some(logits)
    return Predictions(np.concatenate(logits), np.concatenate(index))


def features_of(
    network: nn.Module, batches: Iterable[tuple[Tensor, Tensor]]
) -> NDArray[np.float32]:
    """Every image's pooled features [N, D], not normalised, in the order of the batches.

    Raises:
        DataError: There is no image.
    """
    features = [_pooled(network, images) for images, _ in batches]

    _require_some(features)
    return np.concatenate(features)


def _pooled(network: nn.Module, images: Tensor) -> NDArray[np.float32]:
    pooled = _answer(network, images, tap=Tap.POOLED, device=None).pooled
    assert pooled is not None, "A network gives every tap that it is asked for."
    return _array(pooled)


def _answer(
    network: nn.Module, images: Tensor, *, tap: Tap, device: torch.device | None
) -> Outputs:
    with evaluating(network):
        answer: Outputs = network(images.to(device or _home(network)), frozenset({tap}))
    return answer


def _home(network: nn.Module) -> torch.device:
    state = next(chain(network.parameters(), network.buffers()), None)
    return torch.device("cpu") if state is None else state.device


def _array(values: Tensor) -> NDArray[np.float32]:
    return np.asarray(values.float().numpy(force=True), dtype=np.float32)


def _require_some(parts: list[NDArray[np.float32]]) -> None:
    if not parts:
        raise DataError(
            "There is no image to evaluate: the split is empty. "
            "Choose another split, or give it images."
        )
