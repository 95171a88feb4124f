"""What a classifier costs to keep and to ask."""

import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from understudy.core.types import Tap
from understudy.evaluation.exported import Exported
from understudy.evaluation.predict import evaluating

WARM_UPS = 3
LEAST_REPEATS, MOST_REPEATS = 5, 100
SECONDS = 0.8  # for each batch size, once the least repeats are done


class Cost(NamedTuple):
    """Size and speed of one classifier."""

    parameters: int
    macs: int
    """Multiplications with addition for one image; convolutions and matrix products alone."""
    file_bytes: int
    """Of the exported file."""
    latency_ms_1: float
    """Median time of the exported file for one image, on one thread of this machine."""
    latency_ms_64: float
    """The same for a batch of 64."""


def cost(network: nn.Module, *, channels: int, size: int, exported: Path) -> Cost:
    """Counts a network and times its exported file (about two seconds).

    Args:
        network: What was exported.
        channels: C of its images.
        size: H and W.
        exported: Its file.

    Raises:
        UsageError: The file cannot be loaded.
    """
    served = Exported(exported, threads=1)
    return Cost(
        parameters=sum(parameter.numel() for parameter in network.parameters()),
        macs=macs(network, channels=channels, size=size),
        file_bytes=exported.stat().st_size,
        latency_ms_1=latency_ms(served, batch=1),
        latency_ms_64=latency_ms(served, batch=64),
    )


def macs(network: nn.Module, *, channels: int, size: int) -> int:
    """Multiply-accumulates that the logits of one image take."""
    device = next(network.parameters()).device
    image = torch.zeros(1, channels, size, size, device=device)
    counter = FlopCounterMode(display=False)
    with evaluating(network), counter:
        network(image, frozenset({Tap.LOGITS}))
    return int(counter.get_total_flops()) // 2  # it counts a multiplication and an addition as two


def latency_ms(served: Exported, *, batch: int) -> float:
    """The median time of one call, in milliseconds, after some that do not count."""
    shape = (batch, served.size, served.size, served.channels)
    pixels = np.random.default_rng(seed=0).integers(0, 256, shape, dtype=np.uint8)
    return 1000 * median_seconds(lambda: served(pixels))


def median_seconds(call: Callable[[], object]) -> float:
    """The median duration of a call, repeated for a bounded time."""
    for _ in range(WARM_UPS):
        call()
    times: list[float] = []
    while len(times) < LEAST_REPEATS or (sum(times) < SECONDS and len(times) < MOST_REPEATS):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return statistics.median(times)
