"""How fast a piece of work is, and so how long it will still take."""

import time
from collections.abc import Callable


class Pace:
    """Counts the units of a piece of work.

    Two things say nothing of its speed: units of an earlier attempt, told at once in the beginning,
    and the first unit after them, for reading, measuring and compiling lie in it.

    Args:
        total: Its units.
        clock: Seconds from any origin, never going back.
    """

    def __init__(self, total: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.total, self.done = total, 0
        self._clock = clock
        self._timed: tuple[float, int] | None = None
        """When the first unit was done, and how many were then."""

    def advance(self, count: int) -> None:
        """Counts further units."""
        is_earlier = not self.done and count > 1
        self.done += count
        if self._timed is None and count and not is_earlier:
            self._timed = self._clock(), self.done

    @property
    def seconds_left(self) -> float | None:
        """What it will still take; None before its second unit, and where more came than told."""
        if self._timed is None or self.done > self.total:
            return None
        began, before = self._timed
        if self.done == before:
            return None
        return (self._clock() - began) / (self.done - before) * (self.total - self.done)
