"""Our step, as a run computes it: what is raced, whatever learns."""

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from understudy.core.progress import Silent
from understudy.core.types import Batch
from understudy.data.stream import training_stream
from understudy.data.views import ViewSettings
from understudy.engine.guard import Guard
from understudy.engine.machine import Choice, MachineSettings
from understudy.engine.measure import chosen
from understudy.engine.optim import SgdSettings
from understudy.guidance.guide import Guide
from understudy.methods.method import Method

CPU = torch.device("cpu")
SIZE = 32
LONG = 100_000  # steps of the imagined training: long enough that compiling is considered

Batches = Callable[[Choice], Iterator[Batch]]
"""How to compute, to the endless batches of a training."""


def batches_of(
    pixels: NDArray[np.uint8],
    labels: NDArray[np.int64],
    views: Sequence[ViewSettings],
    *,
    batch_size: int,
    images: int | None = None,
    ring: int | None = None,
) -> Batches:
    """The batches of images of 32x32.

    Args:
        pixels: [N, 3, 32, 32].
        labels: [N].
        views: How each view is made.
        batch_size: Images in each.
        images: How many are shown; None: all.
        ring: Views of each image, where they come round.
    """

    def made(choice: Choice) -> Iterator[Batch]:
        return training_stream(
            pixels,
            indices=np.arange(images or len(pixels)),
            labels=labels,
            views=views,
            size=SIZE,
            batch_size=batch_size,
            seed_order=0,
            seed_views=1,
            ring=ring,
            device=CPU,
            start=0,
            channels_last=choice.channels_last,
        )

    return made


def fastest(
    method: Method, guide: Guide, batches: Batches, *, precision: str = "measure"
) -> Choice:
    """How a run would compute: what `machine` measures as the fastest that computes the same."""
    with tempfile.TemporaryDirectory() as shared:
        choice, _ = chosen(
            MachineSettings.model_validate({"precision": precision}),
            subject={},
            method=method,
            guide=guide,
            batches=lambda choice: next(batches(choice)),
            steps=LONG,
            device=CPU,
            shared=Path(shared),
            earlier=None,
            progress=Silent(),
        )
    return choice


def our_steps(
    method: Method, guide: Guide, stream: Iterator[Batch], choice: Choice
) -> Iterator[float]:
    """Seconds of each step of an endless training, with all that `fit` does in one."""
    optimizer = SgdSettings().build(method)
    guard = Guard(method, optimizer, max_norm=None)
    method.train()
    while True:
        began = time.perf_counter()
        batch = next(stream)
        guard.remember()
        with choice.autocast(CPU):
            output = method(batch, guide(batch))
        output.loss.backward()
        guard.step(output.loss)
        optimizer.zero_grad()
        yield time.perf_counter() - began
