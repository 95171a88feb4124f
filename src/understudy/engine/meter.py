"""Means since the last reading; it adds on the device and asks it only when read."""

import math
import time

import torch
from torch import Tensor

from understudy.core.types import StepOutput


class Meter:
    """Collects step outputs and tells their means, the speed, and how many were not finite."""

    def __init__(self) -> None:
        self._clear()

    def _clear(self) -> None:
        self._sums: dict[str, Tensor] = {}
        self._finite = torch.zeros(())
        self._steps = self._images = 0
        self._since = time.perf_counter()

    def add(self, output: StepOutput, *, spoiled: Tensor) -> None:
        """Adds one step; a spoiled one (1, not 0) is counted and left out of the means."""
        sound = (spoiled == 0).to(torch.float32)
        self._finite = self._finite.to(sound.device) + sound
        for name, value in {"loss": output.loss.detach(), **output.terms}.items():
            kept = torch.where(sound.bool(), value.to(torch.float32), torch.zeros_like(sound))
            self._sums[name] = self._sums[name] + kept if name in self._sums else kept
        self._steps += 1
        self._images += output.size

    def read(self) -> tuple[dict[str, float | None], int]:
        """Means since the last reading and the number of spoiled steps; starts anew.

        A mean over no sound step, or of a sum beyond the numbers, is None.
        """
        names = list(self._sums)
        packed = torch.stack([self._finite, *(self._sums[name] for name in names)]).tolist()
        finite, sums = packed[0], packed[1:]
        seconds = time.perf_counter() - self._since
        spoiled = self._steps - round(finite)

        means: dict[str, float | None] = {
            name: total / finite if finite and math.isfinite(total) else None
            for name, total in zip(names, sums, strict=True)
        }
        means["images_per_second"] = self._images / seconds if seconds > 0 else None
        self._clear()
        return means, spoiled
