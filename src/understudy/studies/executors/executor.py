"""Where the runs of a study are done: what every place for them offers."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from understudy.core.errors import UnderstudyError
from understudy.core.progress import Progress


class Job(NamedTuple):
    """A run to be done."""

    key: str
    """Of its node."""
    stage: str
    recipe: Mapping[str, Any]
    """Its settings, with the directories of the runs that it builds on."""
    origin: str
    """What heads messages about it."""
    name: str
    runs: Path
    """Root of all runs."""
    at_once: int
    """How many jobs are done at the same time, at most."""


class Done(NamedTuple):
    """A finished run."""

    path: Path
    identity: str
    summary: dict[str, Any]
    was_skipped: bool
    """Whether it was finished before."""


class Ended(NamedTuple):
    """What came of a job."""

    job: Job
    result: Done | UnderstudyError


class Executor(Protocol):
    """Does jobs, one or several at once."""

    is_alone: bool
    """Whether it never does more than one job at once."""

    @property
    def slots(self) -> int:
        """How many jobs it does at once, as things stand."""

    @property
    def room(self) -> int:
        """How many more jobs may begin now."""

    @property
    def under_way(self) -> int:
        """How many jobs have begun, and are not told to have ended."""

    def begin(self, job: Job, progress: Progress) -> None:
        """Begins a job; only where there is room.

        Args:
            job: What to do.
            progress: Where to show how far it is.

        Raises:
            InterruptedRunError: A signal came; what was begun is saved.
        """

    def ended(self, within: float | None = None) -> Sequence[Ended]:
        """Waits until some jobs that are under way have ended, and tells what came of them.

        Args:
            within: Seconds after which it tells that none has; None: as long as it takes.

        Raises:
            InterruptedRunError: A signal came; what was begun is saved.
        """
