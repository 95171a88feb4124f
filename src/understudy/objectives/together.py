"""The whole batch where several processes train together, each with its part of it.

A loss that couples the images of a batch, or divides by a number that the batch decides, is
computed from all processes' images on each of them. The mean of the processes' gradients, which
data-parallel training takes, is then the gradient of one process that has the whole batch.
"""

from typing import Any

import torch
from torch import Tensor, distributed
from torch.autograd import Function


class _Gathered(Function):
    """PyTorch's own gathering with a gradient is deprecated in favour of a private module."""

    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:
        ctx.rows = len(values)
        gathered = values.new_empty(distributed.get_world_size() * len(values), *values.shape[1:])
        distributed.all_gather_into_tensor(gathered, values.contiguous())
        return gathered

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        (gradient,) = gradients
        gradient = gradient.clone(memory_format=torch.contiguous_format)  # it is not ours to change
        distributed.all_reduce(gradient)
        return gradient.narrow(0, distributed.get_rank() * ctx.rows, ctx.rows)


def gathered(values: Tensor) -> Tensor:
    """The values of all processes, one after the other in the order of their ranks.

    Args:
        values: [b, ...], equally many on each process; where they need a gradient on one of them,
            they need it on all.

    Returns:
        [B, ...], B being b x the number of processes, the same on each of them. Its gradient flows
        back to every process that gave a part, added up over the processes. Where there is one
        process alone, the values themselves.
    """
    if not distributed.is_available() or not distributed.is_initialized():
        return values
    everywhere: Tensor = _Gathered.apply(values)
    return everywhere


def own_part(everywhere: Tensor) -> Tensor:
    """Of values of all processes, [B, ...] in the order of their ranks, those of this one."""
    if not distributed.is_available() or not distributed.is_initialized():
        return everywhere
    return everywhere.chunk(distributed.get_world_size())[distributed.get_rank()]


def weighted_mean(values: Tensor, weights: Tensor, *, least: float) -> Tensor:
    """The mean of what counts; the others may be of any finite value.

    Args:
        values: [B] or [P, B].
        weights: [B], not negative.
        least: Below any sum of weights but zero; divides where nothing counts.

    Returns:
        The sum of weight x value over the sum of the weights, scalar or [P]; zero, with zero
        gradient, where nothing counts. Where several processes train together, their mean is that
        of the whole batch: each divides by the mean of all processes' sums.
    """
    total = gathered(weights.sum().view(1)).to(values.dtype).mean()
    return (weights * values).sum(dim=-1) / total.clamp(min=least)
