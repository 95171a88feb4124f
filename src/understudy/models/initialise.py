"""Weights from a seed alone: the same on every machine, whatever was drawn before."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def drawn_from(seed: int) -> Iterator[None]:
    """Within it, modules are built on the CPU and draw from `seed`; the global state comes back.

    Only the CPU's generator is touched: `torch.manual_seed` would reseed every accelerator too.
    """
    with torch.random.fork_rng(devices=[]), torch.device("cpu"):
        torch.default_generator.manual_seed(seed)
        yield
