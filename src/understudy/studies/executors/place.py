"""Where the runs of a study are to be done, as it is asked for, and what does them there."""

from contextlib import AbstractContextManager, nullcontext
from typing import NamedTuple

from understudy.core.errors import UsageError
from understudy.core.interrupts import Interrupts
from understudy.studies.executors.cluster import AUTO, PREFIX, Cluster
from understudy.studies.executors.executor import Executor
from understudy.studies.executors.here import Here
from understudy.studies.executors.pool import Pool


class Place(NamedTuple):
    """Where runs are done."""

    on: str = "here"
    """`here`, `ray` for the Ray cluster at hand, or `ray://HOST:PORT`."""
    workers: int = 1
    """How many at once, here; one: in this process."""
    cpus: float = 1.0
    """Processors of each, on a cluster."""
    gpus: float | None = None
    """GPUs of each, on a cluster, where several may share one; None: one where there are any."""

    def must_be_one(self) -> None:
        """Looks at what is asked for.

        Raises:
            UsageError: It cannot be.
        """
        if not isinstance(self.workers, int) or self.workers < 1:
            raise UsageError(f"workers = {self.workers!r}: must be a whole number, at least 1.")
        if self.on not in ("here", AUTO) and not self.on.startswith(PREFIX):
            raise UsageError(f"on = {self.on!r}: must be here, ray, or {PREFIX}HOST:PORT.")
        if self.cpus <= 0 or (self.gpus or 0) < 0:
            told = f"cpus = {self.cpus:g}, gpus = {self.gpus}"
            raise UsageError(f"{told}: must be above 0; without GPUs, gpus = 0.")

    def opened(self, interrupts: Interrupts) -> AbstractContextManager[Executor]:
        """What does runs there.

        Raises:
            UnderstudyError: It cannot be reached.
        """
        if self.on != "here":
            return Cluster(self.on, cpus=self.cpus, gpus=self.gpus, interrupts=interrupts)
        return (
            nullcontext(Here(interrupts)) if self.workers == 1 else Pool(self.workers, interrupts)
        )
