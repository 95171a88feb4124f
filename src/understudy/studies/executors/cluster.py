"""Does jobs on a Ray cluster that is there: a task each, begun again where its process is lost."""

import importlib
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Any, NamedTuple, Self

from understudy.core.errors import (
    MemoryExhaustedError,
    MissingResourceError,
    UnderstudyError,
    UsageError,
)
from understudy.core.interrupts import HANDLED, Interrupts
from understudy.core.progress import Progress
from understudy.studies.executors.afar import SECONDS_BETWEEN_LOOKS, Afar
from understudy.studies.executors.executor import Ended, Job
from understudy.studies.executors.messages import Broken
from understudy.studies.executors.there import Mailbox, do_there

AUTO, PREFIX = "ray", "ray://"
SECONDS_TO_SAVE = 120.0  # a step and a checkpoint; who needs more is left to its cluster
ATTEMPTS = (
    4  # at a run whose process is lost: machines of clusters are taken away, but not each time
)


class _Task(NamedTuple):
    job: Job
    progress: Progress
    attempt: int


class Cluster(Afar):
    """An executor on Ray; leaving it stops what is under way, which saves.

    Args:
        address: `ray` for the cluster at hand (RAY_ADDRESS, or one on this machine), or
            `ray://HOST:PORT`.
        cpus: Processors of each run.
        gpus: GPUs of each run; None: one where the cluster has any.
        interrupts: Where to ask whether a signal came.

    Raises:
        MissingResourceError: Ray is not installed, or there is no cluster.
        UsageError: The cluster has not what one run is to have.
    """

    def __init__(
        self, address: str, *, cpus: float, gpus: float | None, interrupts: Interrupts
    ) -> None:
        super().__init__(interrupts)
        self._tasks: dict[Any, _Task] = {}
        self._ray = _loaded()
        self._is_ours = not self._ray.is_initialized()
        if self._is_ours:
            _join(self._ray, address)
        there = self._resources()
        one_if_any = 1.0 if there.get("GPU") else 0.0
        self._share = {"CPU": cpus, "GPU": one_if_any if gpus is None else gpus}
        short = {kind: there.get(kind, 0.0) for kind, of in self._share.items() if of}
        if any(short[kind] < self._share[kind] for kind in short):
            self._leave()
            asked = ", ".join(f"{self._share[kind]:g} {kind}" for kind in short)
            found = ", ".join(f"{count:g} {kind}" for kind, count in short.items())
            raise UsageError(f"{address}: a run is to have {asked}; the whole cluster has {found}.")
        self._mailbox = self._ray.remote(num_cpus=0)(Mailbox).remote()
        as_task = self._ray.remote(num_cpus=cpus, num_gpus=self._share["GPU"], max_retries=0)
        self._does = as_task(do_there)

    @property
    def slots(self) -> int:
        """How many jobs the cluster has room for now."""
        there = self._resources()
        rooms = [int(there.get(kind, 0.0) / of) for kind, of in self._share.items() if of]
        return max(1, min(rooms))

    @property
    def room(self) -> int:
        """How many more jobs may begin now."""
        return max(0, self.slots - self.under_way)  # a machine may have been taken away

    @property
    def under_way(self) -> int:
        """How many jobs have begun, and are not told to have ended."""
        return len(self._tasks)

    def begin(self, job: Job, progress: Progress) -> None:
        """Gives a job to the cluster."""
        with self._interrupts.deferred():
            self._submit(_Task(job, progress, attempt=1))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stops what is under way, and leaves the cluster as it was."""
        with self._interrupts.deferred():
            self._stop(signal.SIGTERM)
            with suppress(Exception):  # the cluster may be gone
                self._ray.kill(self._mailbox)
            self._leave()

    def _resources(self) -> dict[str, float]:
        found: dict[str, float] = self._ray.cluster_resources()
        return found

    def _submit(self, task: _Task) -> None:
        threads = max(1, int(self._share["CPU"]))
        reference = self._does.remote(task.job, os.getcwd(), threads, self._mailbox)
        self._tasks[reference] = task

    def _heard(self) -> list[Ended]:
        done, _ = self._ray.wait(list(self._tasks), num_returns=1, timeout=SECONDS_BETWEEN_LOOKS)
        self._show()
        found = [self._from(reference) for reference in done]
        return [one for one in found if one]

    def _show(self) -> None:
        """Shows what the runs have sent."""
        with suppress(self._ray.exceptions.RayError):  # runs go on where nothing can be shown
            by_key = {task.job.key: task.progress for task in self._tasks.values()}
            for key, shown in self._ray.get(self._mailbox.take.remote(), timeout=10):
                if key in by_key:
                    shown.on(by_key[key])

    def _from(self, reference: Any) -> Ended | None:
        """What came of a job; None where it is begun again, or was stopped."""
        task, errors = self._tasks.pop(reference), self._ray.exceptions
        try:
            found = self._ray.get(reference)
        except errors.OutOfMemoryError:
            return Ended(task.job, MemoryExhaustedError(_MEMORY.format(task.job.origin)))
        except (errors.WorkerCrashedError, errors.NodeDiedError, errors.ObjectLostError) as error:
            return self._again(task, error)
        except errors.TaskCancelledError:
            return None
        if isinstance(found, Broken):
            raise RuntimeError(f"{task.job.origin}: on a machine of the cluster:\n{found.trace}")
        return found if isinstance(found, Ended) else None

    def _again(self, task: _Task, error: Exception) -> Ended | None:
        task.progress.clear()
        if task.attempt == ATTEMPTS:
            return Ended(task.job, UnderstudyError(_LOST.format(task.job.origin, ATTEMPTS)))
        reason = type(error).__name__
        task.progress.warn(
            f"{task.job.origin}: its process is lost ({reason}); it goes on in another one"
        )
        self._submit(task._replace(attempt=task.attempt + 1))
        return None

    def _stop(self, number: int) -> None:  # noqa: ARG002 - Ray has one way to stop a task
        """Has all that work save, and waits for them."""
        with suppress(self._ray.exceptions.RayError):
            for reference in self._tasks:
                self._ray.cancel(reference, force=False)
            waiting = list(self._tasks)
            if waiting:
                self._ray.wait(waiting, num_returns=len(waiting), timeout=SECONDS_TO_SAVE)
        self._tasks.clear()

    def _leave(self) -> None:
        if self._is_ours:
            self._ray.shutdown()


def _loaded() -> Any:
    """Ray, which is told to report nothing to anybody.

    Raises:
        MissingResourceError: It is not installed.
    """
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ.setdefault(
        "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0"
    )  # what it will be; else it warns
    try:
        return importlib.import_module("ray")
    except ImportError as error:
        raise MissingResourceError(
            "Runs on a cluster need Ray, which is not installed: `pip install understudy[ray]`."
        ) from error


def _join(ray: Any, address: str) -> None:
    """Becomes a part of the cluster.

    Raises:
        MissingResourceError: There is none, or it cannot be reached.
    """
    try:
        with _own_handlers():
            ray.init(
                address="auto" if address == AUTO else address,
                log_to_driver=False,
                logging_level="ERROR",
            )
    except (ConnectionError, ImportError, RuntimeError, ValueError) as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise MissingResourceError(
            f"{address}: no Ray cluster can be reached ({reason}). `ray start --head` begins one "
            "on this machine; another one is named by RAY_ADDRESS, or by --on ray://HOST:PORT. One "
            "that asks for a token wants RAY_AUTH_MODE=token here too."
        ) from error


@contextmanager
def _own_handlers() -> Iterator[None]:
    """Puts the handlers of signals back that Ray replaces: ours save what is under way."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in HANDLED}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


_MEMORY = (
    "{}: its machine ran out of memory. What was saved is kept; more `--cpus` for each run let "
    "fewer run at once, and the same command continues."
)
_LOST = "{}: its process was lost {} times. What was saved is kept; the same command continues."
