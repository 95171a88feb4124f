"""Values of buffers that move in the same step, safe from being read again in its backward pass."""

import torch
from torch import Tensor


@torch.library.custom_op("understudy::kept", mutates_args=())
def kept(values: Tensor) -> Tensor:
    """A copy that a compiled backward pass keeps.

    A compiled step may save a buffer itself and gather from it anew in the backward pass. Where the
    forward pass has moved the buffer by then, the gradient is wrong, silently (torch 2.15). No
    compiler looks into this copy, so it is what the step saves.

    Args:
        values: Read from buffers; no gradient flows back.
    """
    return values.clone()


@kept.register_fake
def _(values: Tensor) -> Tensor:
    return torch.empty_like(values)
