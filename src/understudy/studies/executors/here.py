"""Does jobs in this process, one after the other."""

from collections.abc import Sequence

from understudy.core.interrupts import Interrupts
from understudy.core.progress import Progress
from understudy.studies.executors.doing import do
from understudy.studies.executors.executor import Ended, Job


class Here:
    """An executor without another process.

    Args:
        interrupts: Where to ask whether a signal came.
    """

    is_alone = True
    slots = 1

    def __init__(self, interrupts: Interrupts) -> None:
        self._interrupts = interrupts
        self._ended: list[Ended] = []

    @property
    def under_way(self) -> int:
        """How many jobs are done, and not told."""
        return len(self._ended)

    @property
    def room(self) -> int:
        """How many more jobs may begin now."""
        return self.slots - self.under_way

    def begin(self, job: Job, progress: Progress) -> None:
        """Does a job.

        Raises:
            InterruptedRunError: A signal came; what was begun is saved.
        """
        self._ended.append(do(job, progress=progress, interrupts=self._interrupts))

    def ended(self, within: float | None = None) -> Sequence[Ended]:  # noqa: ARG002 - none waits
        """What came of it."""
        told, self._ended = self._ended, []
        return told
