"""How many workers a pool has: as many as were asked for, or as many as prove to pay."""

import json
from collections.abc import Callable, Iterator
from typing import Any

from understudy.core.memory import free_memory
from understudy.core.progress import Progress
from understudy.results.formats import plural
from understudy.results.formats import size as told_size
from understudy.results.measured import Measured
from understudy.results.values import number
from understudy.studies.executors.executor import Done
from understudy.studies.executors.messages import Used
from understudy.studies.executors.paying import Bound, Trial, chosen

SHARE = 0.8  # of what is free: later runs may take more than those that were measured
BESIDE = 0.95  # of the others, on average, were under way beside a training that counts
SHORTEST = 1.0  # second of a training whose speed tells something
OF_WORK = ("kind", "batch_size", "size", "views", "precision", "compile")
"""Settings that say what an image costs, wherever they stand; the networks say the rest."""


class Size:
    """A number that was asked for, and that nothing changes.

    Args:
        workers: The number.
    """

    def __init__(self, workers: int) -> None:
        self.workers = workers

    def look(self) -> None:
        """Looks at the machine, while no worker is there."""

    def hear(self, used: Used, *, workers: int) -> None:
        """Learns what one of so many workers takes."""

    def learn(self, done: Done, *, workers: int, beside: float, seconds: float) -> None:
        """Learns from a run that ended.

        Args:
            done: The run.
            workers: How many there were.
            beside: How many of them had a run meanwhile, this one among them, on average.
            seconds: How long it was under way.
        """

    def lose(self, beside: int) -> None:
        """Learns that the system killed one of so many workers."""


class MeasuredSize(Size):
    """One worker at first, and more as they prove to pay; one line tells what was found.

    Never more than there are threads, or than memory holds. What was chosen stays, but for what
    memory forbids later.

    Args:
        threads: How many there are for all workers.
        progress: Where to tell.
        free: Bytes of memory that could be taken.
    """

    def __init__(
        self,
        threads: int,
        progress: Progress,
        free: Callable[[], int | None] = free_memory,
    ) -> None:
        super().__init__(1)
        self._threads, self._progress, self._free = threads, progress, free
        self._trials: list[Trial] = []
        self._survived = threads
        self._memory: int | None = None
        self._each = 0
        self._gpu = self._each_of_gpu = 0
        self._settled: int | None = None
        self.look()

    def look(self) -> None:
        """Looks how much memory is free, while no worker takes any."""
        self._memory = self._free()
        self._choose()

    def hear(self, used: Used, *, workers: int) -> None:
        """Learns what one of so many workers takes."""
        self._each = max(self._each, used.memory or 0)
        self._each_of_gpu = max(self._each_of_gpu, used.gpu)
        if workers == 1:  # else others take of it too
            self._gpu = used.gpu_free
        self._choose()

    def learn(self, done: Done, *, workers: int, beside: float, seconds: float) -> None:
        """Learns how fast a training was, where all the others were beside it."""
        trial = _trial(done, workers, seconds)
        if trial and beside >= BESIDE * workers:
            self._trials.append(trial)
            self._choose()

    def lose(self, beside: int) -> None:
        """Never has as many again."""
        self._survived = max(1, beside - 1)
        self._choose()

    def _choose(self) -> None:
        before, bound = self.workers, self._bound()
        if self._settled is None:
            self.workers, told = chosen(self._trials, bound)
            self._settled = self.workers if told else None
        else:
            self.workers = min(self._settled, bound.workers)
            told = "" if self.workers == self._settled else f"{_count(self.workers)}: {bound.why}"
            self._settled = self.workers
        if told:
            self._progress.say(told)
        elif self.workers != before:
            self._progress.detail(f"{_count(self.workers)} next, to be measured")

    def _bound(self) -> Bound:
        bounds = [Bound(self._threads, f"torch has {plural(self._threads, 'thread')} here")]
        if self._survived < self._threads:
            killed = f"one of {self._survived + 1} was killed, as when memory runs out"
            bounds.append(Bound(self._survived, killed))
        if self._memory is None:
            bounds.append(Bound(1, "this system does not tell how much memory is free"))
        elif self._each:
            bounds.append(_holding(self._memory, self._each, "memory"))
        if self._each_of_gpu:
            bounds.append(_holding(self._gpu, self._each_of_gpu, "the GPU's memory"))
        return min(bounds, key=lambda bound: bound.workers)


def _holding(free: int, each: int, of: str) -> Bound:
    """So many as memory holds."""
    room = round(SHARE * free)
    count = max(1, room // each)
    needed = told_size((count + 1) * each)
    return Bound(
        count,
        f"{count + 1} would need {needed} of the {told_size(room)} that may be taken "
        f"({SHARE:.0%} of the free part of {of})",
    )


def _trial(done: Done, workers: int, seconds: float) -> Trial | None:
    """A training whose speed tells something; one of earlier attempts too does not."""
    summary = done.summary
    epoch, images = number(summary.get("seconds_per_epoch")), number(summary.get("images"))
    took = number(summary.get("seconds")) or 0.0
    if done.was_skipped or not epoch or not images or not SHORTEST <= took <= seconds:
        return None
    return Trial(_kind(Measured(done.path, summary)), workers, images / epoch)


def _kind(run: Measured) -> str:
    """Equal for trainings that do the same for an image."""
    return json.dumps([run.stage, run.networks, list(_of_work(run.settings))], sort_keys=True)


def _of_work(settings: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """The settings that say what an image costs, each with its place."""
    inner = settings.items() if isinstance(settings, dict) else enumerate(settings)
    for key, value in inner:
        if isinstance(value, dict | list):
            yield from _of_work(value, f"{place}.{key}")
        elif key in OF_WORK:
            yield f"{place}.{key}", value


def _count(workers: int) -> str:
    return plural(workers, "worker")
