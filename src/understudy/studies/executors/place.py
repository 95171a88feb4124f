"""Where the runs of a study are to be done, as it is asked for, and what does them there."""

from contextlib import AbstractContextManager, nullcontext
from typing import Literal, NamedTuple

from understudy.core.errors import UsageError
from understudy.core.interrupts import Interrupts
from understudy.core.progress import Progress
from understudy.engine.machine import ALL_THREADS
from understudy.studies.executors.cluster import AUTO, PREFIX, Cluster
from understudy.studies.executors.executor import Executor
from understudy.studies.executors.here import Here
from understudy.studies.executors.pool import Pool
from understudy.studies.executors.sizing import MeasuredSize, Size


class Place(NamedTuple):
    """Where runs are done."""

    on: str = "here"
    """`here`, `ray` for the Ray cluster at hand, or `ray://HOST:PORT`."""
    workers: int | Literal["auto"] = 1
    """How many at once, here; one: in this process; auto: as many as prove to pay."""
    cpus: float = 1.0
    """Processors of each, on a cluster."""
    gpus: float | None = None
    """GPUs of each, on a cluster, where several may share one; None: one where there are any."""

    def must_be_one(self) -> None:
        """Looks at what is asked for.

        Raises:
            UsageError: It cannot be.
        """
        is_number = isinstance(self.workers, int) and self.workers >= 1
        if not is_number and self.workers != "auto":
            told = "must be a whole number, at least 1, or auto"
            raise UsageError(f"workers = {self.workers!r}: {told}.")
        if self.on not in ("here", AUTO) and not self.on.startswith(PREFIX):
            raise UsageError(f"on = {self.on!r}: must be here, ray, or {PREFIX}HOST:PORT.")
        if self.cpus <= 0 or (self.gpus or 0) < 0:
            told = f"cpus = {self.cpus:g}, gpus = {self.gpus}"
            raise UsageError(f"{told}: must be above 0; without GPUs, gpus = 0.")
        if self.on == "here" and (self.cpus != 1 or self.gpus is not None):
            raise UsageError(
                "cpus, gpus: say what each run may take on a cluster, and this study runs here. "
                "Leave them out, or set `on`; here `workers` says how many run at once."
            )
        if self.on != "here" and self.workers != 1:
            raise UsageError(
                f"workers = {self.workers}: counts processes of this machine; on {self.on} a run "
                "begins wherever its `cpus` and `gpus` are free. Leave it out."
            )

    def opened(
        self, interrupts: Interrupts, progress: Progress
    ) -> AbstractContextManager[Executor]:
        """What does runs there.

        Args:
            interrupts: Where to ask whether a signal came.
            progress: Where to tell how many are done at once, where that is measured.

        Raises:
            UnderstudyError: It cannot be reached.
        """
        if self.on != "here":
            return Cluster(self.on, cpus=self.cpus, gpus=self.gpus, interrupts=interrupts)
        if self.workers == 1:
            return nullcontext(Here(interrupts))
        is_measured = self.workers == "auto"
        size = MeasuredSize(ALL_THREADS, progress) if is_measured else Size(int(self.workers))
        return Pool(size, interrupts)
