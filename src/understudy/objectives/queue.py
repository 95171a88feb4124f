"""The features that were made last: first in, first out (MoCo, arXiv:1911.05722)."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from understudy.core.errors import UsageError
from understudy.objectives.together import gathered


class Queue(nn.Module):
    """Features of length 1; the newest take the place of the oldest.

    It is a buffer, saved with the training. Where a step was not finite the loop has it undone:
    the few rows that a step replaces are kept, since a copy of all may be as costly as the step.

    Args:
        length: How many features; at first they point in random directions, as the authors'.
        width: Of the features.
    """

    features: Tensor
    position: Tensor

    def __init__(self, *, length: int, width: int) -> None:
        super().__init__()
        self.register_buffer("features", F.normalize(torch.randn(length, width), dim=1))
        self.register_buffer("position", torch.zeros((), dtype=torch.int64))
        self._replaced: tuple[Tensor, Tensor, Tensor] | None = None

    def __len__(self) -> int:
        return len(self.features)

    def objection(self, keys: int, images: int | None = None) -> str | None:
        """Why steps that bring so many features do not fit and what to set, or None.

        From as many as a step brings to as many as there are images, any length does: what goes
        over the end begins at the front. In a longer one images are more than once. In MoCo's, an
        image is then to be told from its own earlier keys, which its authors accept for a queue of
        6 % of the images, in the first steps of an epoch (facebookresearch/moco, issue 24).

        Args:
            keys: Features that a step brings.
            images: Different ones in the training, where they are known.
        """
        if images is not None and keys > images:
            return (
                f"one step brings {keys} features for `queue`, but there are {images} images, "
                "which would be in it more than once. Lower `plan.batch_size`."
            )
        if keys > len(self):
            return (
                f"`queue` holds {len(self)} features, but one step brings {keys}. Set `queue` to "
                f"at least {keys}, or lower `plan.batch_size`."
            )
        if images is not None and len(self) > images:
            return (
                f"`queue` holds {len(self)} features, but there are {images} images, which would "
                f"be in it more than once. Set `queue` to at most {images}."
            )
        return None

    @torch.no_grad()
    def enqueue(self, fresh: Tensor) -> None:
        """Replaces the oldest features by those of all processes, in their order.

        Args:
            fresh: [b, width], of length 1.

        Raises:
            UsageError: There are more of them than the queue is long.
        """
        fresh = gathered(fresh.detach())
        if objection := self.objection(len(fresh)):
            raise UsageError(objection)
        rows = (self.position + torch.arange(len(fresh), device=fresh.device)) % len(self)
        self._replaced = rows, self.features[rows], self.position.clone()
        self.features.index_copy_(0, rows, fresh.to(self.features.dtype))
        self.position.copy_((self.position + len(fresh)) % len(self))

    @torch.no_grad()
    def undo(self, spoiled: Tensor) -> None:
        """Puts back what the last `enqueue` replaced, where `spoiled` is 1; once.

        Args:
            spoiled: Scalar on the device, 0 or 1.
        """
        if self._replaced is None:
            return
        rows, old, position = self._replaced
        self.features.index_copy_(0, rows, torch.where(spoiled > 0, old, self.features[rows]))
        self.position.copy_(torch.where(spoiled > 0, position, self.position))
        self._replaced = None
