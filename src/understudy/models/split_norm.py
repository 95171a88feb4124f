"""Batch norm over parts of a batch, as several devices have it that do not share statistics."""

import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from understudy.core.errors import UsageError


class SplitBatchNorm2d(nn.BatchNorm2d):
    """While it trains, every `splits`-th image shares statistics; otherwise as any batch norm.

    Weights and statistics have the names of an ordinary one, which is what a checkpoint and an
    exported network hold. The running statistics move by the mean over the parts.

    Args:
        norm: Whose place it takes, weights and all.
        splits: Number of parts; divides the batch.
    """

    running_mean: Tensor
    running_var: Tensor
    num_batches_tracked: Tensor

    def __init__(self, norm: nn.BatchNorm2d, *, splits: int) -> None:
        super().__init__(norm.num_features, eps=norm.eps, momentum=norm.momentum)
        self.splits = splits
        self.load_state_dict(norm.state_dict())

    def forward(self, images: Tensor) -> Tensor:
        """[B, C, H, W] to the same; B is a multiple of `splits` while it trains."""
        if not self.training:
            return super().forward(images)
        _, channels, height, width = images.shape
        mean, variance = (
            running.repeat(self.splits) for running in (self.running_mean, self.running_var)
        )
        parts = F.batch_norm(
            images.reshape(-1, channels * self.splits, height, width),
            mean,
            variance,
            self.weight.repeat(self.splits),
            self.bias.repeat(self.splits),
            training=True,
            momentum=self.momentum or 0.0,
            eps=self.eps,
        )
        self.running_mean.copy_(mean.view(self.splits, channels).mean(dim=0))
        self.running_var.copy_(variance.view(self.splits, channels).mean(dim=0))
        self.num_batches_tracked.add_(1)
        return parts.reshape(images.shape)


def split_norms(network: nn.Module, splits: int) -> None:
    """Has every batch norm of a network see parts of the batch; changes the network in place.

    Raises:
        UsageError: It normalises batches in a way that cannot be split.
    """
    norms = {type(norm) for norm in network.modules() if isinstance(norm, _BatchNorm)}
    if others := sorted(norm.__name__ for norm in norms - {nn.BatchNorm2d}):
        raise UsageError(
            f"This network normalises batches by {', '.join(others)}, which cannot be split: "
            "BatchNorm2d can. Set `method.splits=1`, or choose another backbone or projector."
        )
    for parent in list(network.modules()):
        for name, norm in parent.named_children():
            if isinstance(norm, nn.BatchNorm2d):
                setattr(parent, name, SplitBatchNorm2d(norm, splits=splits))
