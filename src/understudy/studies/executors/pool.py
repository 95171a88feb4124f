"""Does several jobs at once, each in a process of its own that stays warm for the next."""

import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from math import inf
from multiprocessing import get_context, resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from types import ModuleType, TracebackType
from typing import Self

from understudy.core.errors import MemoryExhaustedError, UnderstudyError
from understudy.core.interrupts import Interrupts, held_back, stopped
from understudy.core.progress import Progress
from understudy.engine.machine import ALL_THREADS
from understudy.studies.executors.executor import Ended, Job
from understudy.studies.executors.messages import Broken, Message, Shown, Stopped
from understudy.studies.executors.worker import serve

SECONDS_BETWEEN_LOOKS = 0.2  # for a signal, while nothing is told


@dataclass
class _Worker:
    process: SpawnProcess
    connection: Connection
    job: Job | None = None
    progress: Progress | None = None


class Pool:
    """An executor of several processes; leaving it ends them.

    A signal is handed on to all that work: each saves, and is waited for. A process that dies takes
    its own job with it and no other.

    Args:
        slots: How many processes.
        interrupts: Where to ask whether a signal came.
    """

    def __init__(self, slots: int, interrupts: Interrupts) -> None:
        self.slots = slots
        self._interrupts = interrupts
        self._threads = max(1, ALL_THREADS // slots)
        self._workers: list[_Worker] = []
        self._is_told = False

    @property
    def under_way(self) -> int:
        """How many jobs have begun, and are not told to have ended."""
        return len(self._busy)

    @property
    def _busy(self) -> list[_Worker]:
        return [worker for worker in self._workers if worker.job]

    def begin(self, job: Job, progress: Progress) -> None:
        """Gives a job to a process that is free, or to a new one."""
        with self._interrupts.deferred():
            idle = next((worker for worker in self._workers if not worker.job), None)
            worker = idle or self._new()
            worker.job, worker.progress = job, progress
            worker.connection.send(job)

    def ended(self, within: float | None = None) -> Sequence[Ended]:
        """Waits until some jobs have ended, and tells what came of them.

        Args:
            within: Seconds after which it tells that none has.

        Raises:
            InterruptedRunError: A signal came; what was begun is saved.
        """
        with self._interrupts.deferred():  # in the middle of a message nothing may be raised
            told: list[Ended] = []
            until = inf if within is None else time.monotonic() + within
            while self._busy and not told and time.monotonic() < until:
                if number := self._interrupts.received:
                    self._stop(number)
                    raise stopped(number)
                told = self._heard()
        return told

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Ends all processes; those that still work save first."""
        with self._interrupts.deferred():
            self._stop(self._interrupts.received or signal.SIGTERM)
            for worker in self._workers:
                worker.connection.close()  # whoever waits for a job leaves
            for worker in self._workers:
                worker.process.join()

    def _new(self) -> _Worker:
        context = get_context("spawn")  # a copy of this process would hold its threads' locks
        ours, theirs = context.Pipe()
        process = context.Process(target=serve, args=(theirs, self._threads), daemon=False)
        resource_tracker.ensure_running()  # which would let signals through
        with held_back(), _without_main():  # until it listens
            process.start()
        theirs.close()  # else its end would never be seen
        worker = _Worker(process, ours)
        self._workers.append(worker)
        return worker

    def _heard(self) -> list[Ended]:
        """What is told within a short while; what is to be shown is shown."""
        by_connection = {worker.connection: worker for worker in self._busy}
        ready = wait(list(by_connection), timeout=SECONDS_BETWEEN_LOOKS)
        heard = [self._from(worker) for c, worker in by_connection.items() if c in ready]
        return [ended for ended in heard if ended]

    def _from(self, worker: _Worker) -> Ended | None:
        job, progress = worker.job, worker.progress
        assert job and progress
        try:
            message: Message = worker.connection.recv()
        except (EOFError, ConnectionError):
            return Ended(job, self._lost(worker, job))
        if isinstance(message, Shown):
            message.on(progress)
            return None
        worker.job = None
        if isinstance(message, Broken):
            raise RuntimeError(f"{job.origin}: in a process of its own:\n{message.trace}")
        return None if isinstance(message, Stopped) else message

    def _lost(self, worker: _Worker, job: Job) -> UnderstudyError:
        """What to say of a process that is gone without a word."""
        worker.process.join()
        worker.connection.close()
        worker.job = None
        self._workers.remove(worker)
        code = worker.process.exitcode or 0
        if code == -signal.SIGKILL:
            return MemoryExhaustedError(
                f"{job.origin}: its process was killed, as systems do when memory runs out. What "
                "was saved is kept; fewer `--workers` need less, and the same command continues."
            )
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        return UnderstudyError(
            f"{job.origin}: its process ended with {how} and said nothing. What was saved is kept; "
            "the same command continues."
        )

    def _stop(self, number: int) -> None:
        """Hands a signal on to all that work, and waits until they have saved."""
        for worker in self._busy:
            with suppress(ProcessLookupError):
                os.kill(worker.process.pid or 0, number)
        while self._busy:
            self._heard()


@contextmanager
def _without_main() -> Iterator[None]:
    """Hides the script that is running: a new process would run it again, and needs none of it."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main
