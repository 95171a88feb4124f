"""What a classifier costs to keep and to ask."""

import statistics
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from understudy.core.depth import white
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
    return latencies_ms([served], batch=batch)[0]


def latencies_ms(served: Sequence[Exported], *, batch: int) -> list[float]:
    """The same of several files of one input, asked in turn so that they can be compared."""
    first = served[0]
    shape = (batch, first.size, first.size, first.channels)
    random = np.random.default_rng(seed=0)
    pixels = random.integers(0, white(first.depth), shape, dtype=first.depth, endpoint=True)
    calls = [partial(one, pixels) for one in served]
    return [1000 * seconds for seconds in median_seconds(calls)]


def median_seconds(calls: Sequence[Callable[[], object]]) -> list[float]:
    """The median duration of each call, repeated in turn for a bounded time.

    In turn: a busy moment of the machine strikes all alike. One file timed against itself was up
    to 7 % apart when each was timed for itself, 1.3 % when asked in turn (two loaded cores).
    """
    for call in [*calls] * WARM_UPS:
        call()
    times: list[list[float]] = [[] for _ in calls]
    while len(times[0]) < LEAST_REPEATS or (
        sum(times[0]) < SECONDS and len(times[0]) < MOST_REPEATS
    ):
        for call, own in zip(calls, times, strict=True):
            start = time.perf_counter()
            call()
            own.append(time.perf_counter() - start)
    return [statistics.median(own) for own in times]
