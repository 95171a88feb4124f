"""Steps and answers that are not finite; found out on the device, without waiting for it.

A step that is not finite changes nothing. Answers of a teacher that are not finite end a training:
an objective such as `hard_label` would make a finite loss of them.
"""

from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grads_with_norm_, get_total_norm
from torch.optim import Optimizer

from understudy.core.errors import DivergedError
from understudy.core.types import Guidance


@runtime_checkable
class Undoing(Protocol):
    """A part with buffers too large to be copied at every step, which knows what a step changed."""

    def undo(self, spoiled: Tensor) -> None:
        """Puts its buffers back as they were before the last step, where `spoiled` is 1.

        Args:
            spoiled: Scalar on the device, 0 or 1; nobody waits for it.
        """


class Guard:
    """Makes optimizer and batch-norm statistics forget a step whose loss or gradient is not finite.

    The optimizer is told through `found_inf`, which torch's fused optimizers and our LARS obey.
    The forward pass has by then moved the statistics, so they are kept aside before it; a part
    that is `Undoing` puts its own back.

    Args:
        module: What learns.
        optimizer: What steps it.
        max_norm: Gradients are scaled down to this norm, or left where None.
    """

    def __init__(self, module: nn.Module, optimizer: Optimizer, *, max_norm: float | None) -> None:
        self.module, self.optimizer, self.max_norm = module, optimizer, max_norm
        self._undoing = [part for part in module.modules() if isinstance(part, Undoing)]
        own = {id(buffer) for part in self._undoing for buffer in part.buffers()}
        self._buffers = [
            buffer for buffer in module.buffers() if buffer.numel() and id(buffer) not in own
        ]
        self._before = [buffer.clone() for buffer in self._buffers]

    def remember(self) -> None:
        """Keeps the statistics as they are before a forward pass."""
        for kept, buffer in zip(self._before, self._buffers, strict=True):
            kept.copy_(buffer)

    @torch.no_grad()
    def step(self, loss: Tensor) -> Tensor:
        """Clips, steps where everything is finite, and undoes the statistics where not.

        Args:
            loss: The step's loss, whose gradients are in place.

        Returns:
            Scalar on the device: 1 where the step was spoiled, else 0.
        """
        weights = [weight for weight in self.module.parameters() if weight.grad is not None]
        norm = get_total_norm([weight.grad for weight in weights if weight.grad is not None])
        if self.max_norm is not None:
            clip_grads_with_norm_(weights, self.max_norm, norm)

        finite = torch.isfinite(loss.detach()) & torch.isfinite(norm)
        spoiled = (~finite).to(torch.float32)
        self.optimizer.found_inf = spoiled  # type: ignore[attr-defined]
        self.optimizer.step()
        for kept, buffer in zip(self._before, self._buffers, strict=True):
            buffer.copy_(torch.where(finite, buffer, kept))
        for part in self._undoing:
            part.undo(spoiled)
        return spoiled


class Hearing:
    """Counts the steps whose guidance is not finite; the device is asked when the count is read."""

    def __init__(self) -> None:
        self._unsound: Tensor | None = None

    def hear(self, guidance: Guidance) -> None:
        """Takes note of one step's answers, whatever they hold."""
        finite = _finite(guidance)
        if finite is not None:
            unsound = (~finite).to(torch.int64)
            self._unsound = unsound if self._unsound is None else self._unsound + unsound

    def read(self) -> int:
        """How many steps so far had answers that are not finite."""
        return 0 if self._unsound is None else int(self._unsound)


def must_be_finite(guidance: Guidance, name: str) -> None:
    """Looks at once at one step's answers.

    Raises:
        DivergedError: Some are NaN or infinity.
    """
    finite = _finite(guidance)
    if finite is not None and not bool(finite):
        raise DivergedError(
            f"{name} answered with NaN or infinity to the first images. Let another checkpoint or "
            "another run teach."
        )


def _finite(guidance: Guidance) -> Tensor | None:
    """Scalar on the device: whether all answers are; None where there are none."""
    given = [
        values
        for answer in guidance or ()
        for values in (answer.logits, answer.pooled, answer.projected, *answer.stages)
        if values is not None
    ]
    return torch.stack([values.isfinite().all() for values in given]).all() if given else None
