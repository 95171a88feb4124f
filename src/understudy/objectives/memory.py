"""What student and teacher last made of each image, by image."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from understudy.objectives.together import gathered


class Memory(nn.Module):
    """Two features of length 1 for each image of a training; 8 x width bytes an image.

    They are buffers, saved with the training. Where a step was not finite the loop has it undone:
    the few rows that a step moves are kept, since a copy of all would cost up to a tenth of it.
    Rows lie in a random order, so that rows next to each other are a random draw.

    Args:
        images: [n], int64, as `Targets.index` names them; in any order.
        width: Of the features.
    """

    images: Tensor
    order: Tensor
    student: Tensor
    teacher: Tensor
    step: Tensor

    def __init__(self, images: Tensor, *, width: int) -> None:
        super().__init__()
        known = torch.unique(images)  # in ascending order
        self.register_buffer("images", known)
        self.register_buffer("order", torch.randperm(len(known)))
        self.register_buffer("student", F.normalize(torch.randn(len(known), width), dim=1))
        self.register_buffer("teacher", F.normalize(torch.randn(len(known), width), dim=1))
        self.register_buffer("step", torch.zeros((), dtype=torch.int64))
        self._moved: tuple[Tensor, Tensor, Tensor] | None = None

    def __len__(self) -> int:
        return len(self.images)

    def rows(self, index: Tensor) -> Tensor:
        """The rows of images, [B]; only images that were given at the beginning have one."""
        return self.order[torch.searchsorted(self.images, index)]

    def window(self, length: int) -> Tensor:
        """This step's draw of so many rows, without repetition where there are so many.

        Each step goes on where the last one ended, so that all rows are drawn equally often.
        """
        begin = self.step * length
        return (begin + torch.arange(length, device=self.step.device)) % len(self)

    @torch.no_grad()
    def remember(self, rows: Tensor, student: Tensor, teacher: Tensor, *, momentum: float) -> None:
        """Moves the rows of all processes' images towards new features, and ends the step.

        Args:
            rows: [b]; an image that is there more than once counts with its mean.
            student: [b, width].
            teacher: [b, width].
            momentum: Share of the old features that stays.
        """
        rows = gathered(rows)
        same = rows[:, None] == rows
        self._moved = rows, self.student[rows], self.teacher[rows]
        for memory, fresh in ((self.student, student), (self.teacher, teacher)):
            everywhere = gathered(fresh.detach())
            shares = same.to(everywhere.dtype) / same.sum(dim=1, keepdim=True)
            moved = momentum * memory[rows] + (1 - momentum) * (shares @ everywhere)
            memory.index_copy_(0, rows, F.normalize(moved, dim=1))
        self.step += 1

    @torch.no_grad()
    def undo(self, spoiled: Tensor) -> None:
        """Puts back what the last `remember` moved, where `spoiled` is 1; once.

        Args:
            spoiled: Scalar on the device, 0 or 1.
        """
        if self._moved is None:
            return
        rows, *before = self._moved
        for memory, old in zip((self.student, self.teacher), before, strict=True):
            memory.index_copy_(0, rows, torch.where(spoiled > 0, old, memory[rows]))
        self.step -= spoiled.to(self.step.dtype)
        self._moved = None
