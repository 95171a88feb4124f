"""Does several jobs at once, each in a process of its own that stays warm for the next."""

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import get_context, resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from types import ModuleType, TracebackType
from typing import Self

from understudy.core.errors import MemoryExhaustedError, UnderstudyError
from understudy.core.interrupts import Interrupts, held_back
from understudy.core.progress import Progress
from understudy.engine.machine import ALL_THREADS
from understudy.studies.executors.afar import SECONDS_BETWEEN_LOOKS, Afar
from understudy.studies.executors.executor import Done, Ended, Job
from understudy.studies.executors.messages import Broken, Message, Shown, Stopped, Used
from understudy.studies.executors.sizing import Size
from understudy.studies.executors.worker import serve


@dataclass
class _Worker:
    process: SpawnProcess
    connection: Connection
    job: Job | None = None
    progress: Progress | None = None
    began: float = 0.0
    """When its job did."""
    beside: float = 0.0
    """Seconds of all jobs that were under way meanwhile, its own among them."""


class Pool(Afar):
    """An executor of several processes; leaving it ends them.

    A signal is handed on to all that work: each saves, and is waited for. A process that dies takes
    its own job with it and no other. Where another number of processes is wanted, what is under way
    ends first: the number of threads is each process's share, and does not change while it lives.

    Args:
        size: How many processes.
        interrupts: Where to ask whether a signal came.
    """

    def __init__(self, size: Size, interrupts: Interrupts) -> None:
        super().__init__(interrupts)
        self._size = size
        self.slots = size.workers
        self._workers: list[_Worker] = []
        self._looked = time.monotonic()

    @property
    def room(self) -> int:
        """How many more jobs may begin now."""
        return self.slots - self.under_way if self.slots == self._size.workers else 0

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
            self._look_at_clock()
            worker.job, worker.progress = job, progress
            worker.began, worker.beside = self._looked, 0.0
            worker.connection.send(job)

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
            self._send_home()

    def _send_home(self) -> None:
        for worker in self._workers:
            worker.connection.close()  # whoever waits for a job leaves
        for worker in self._workers:
            worker.process.join()
        self._workers.clear()

    def _resize(self) -> None:
        """Has as many processes as are wanted now, once nothing is under way."""
        if self.slots != self._size.workers and not self._busy:
            self._send_home()
            self._size.look()
            self.slots = self._size.workers

    def _look_at_clock(self) -> None:
        """Counts for all that are under way how many they were since the last time."""
        now = time.monotonic()
        for worker in self._busy:
            worker.beside += (now - self._looked) * len(self._busy)
        self._looked = now

    def _new(self) -> _Worker:
        context = get_context("spawn")  # a copy of this process would hold its threads' locks
        ours, theirs = context.Pipe()
        threads = max(1, ALL_THREADS // self.slots)
        process = context.Process(target=serve, args=(theirs, threads), daemon=False)
        resource_tracker.ensure_running()  # which would let signals through
        with held_back(), _without_main():  # until it listens
            process.start()
        theirs.close()  # else its end would never be seen
        worker = _Worker(process, ours)
        self._workers.append(worker)
        return worker

    def _heard(self) -> list[Ended]:
        by_connection = {worker.connection: worker for worker in self._busy}
        ready = wait(list(by_connection), timeout=SECONDS_BETWEEN_LOOKS)
        heard = [self._from(worker) for c, worker in by_connection.items() if c in ready]
        self._resize()
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
        if isinstance(message, Used):
            self._size.hear(message, workers=self.slots)
            return None
        self._look_at_clock()
        worker.job = None
        if isinstance(message, Broken):
            raise RuntimeError(f"{job.origin}: in a process of its own:\n{message.trace}")
        if isinstance(message, Stopped):
            return None
        took = self._looked - worker.began
        if isinstance(message.result, Done) and took:
            beside = worker.beside / took
            self._size.learn(message.result, workers=self.slots, beside=beside, seconds=took)
        return message

    def _lost(self, worker: _Worker, job: Job) -> UnderstudyError:
        """What to say of a process that is gone without a word."""
        worker.process.join()
        worker.connection.close()
        self._look_at_clock()
        count = len(self._busy)
        worker.job = None
        self._workers.remove(worker)
        code = worker.process.exitcode or 0
        if code == -signal.SIGKILL:
            self._size.lose(count)
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
