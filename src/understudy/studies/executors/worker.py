"""The process that does runs for another one, and stays warm between them.

This file is read before torch is: the number of threads has to be said first.
"""

import os
import signal
import threading
import traceback
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import parent_process
from multiprocessing.connection import Connection

from understudy.core.errors import InterruptedRunError
from understudy.core.interrupts import Interrupts, let_through
from understudy.core.memory import own_memory
from understudy.studies.executors.executor import Job
from understudy.studies.executors.messages import Broken, Message, SentProgress, Stopped, Used

SECONDS_BETWEEN_LOOKS = 0.1  # at our memory: a step, or a look at validation, takes longer
CONTEXT = 1 << 30  # bytes of a GPU beside tensors: half of that was seen, and kernels come to it


@dataclass
class _Memory:
    """The most that this process had."""

    most: int | None = None

    def look(self) -> None:
        now = own_memory()
        self.most = now if self.most is None or now is None else max(self.most, now)

    def used(self) -> Used:
        """The most so far, of a GPU too if it is in use; of several GPUs the one that is."""
        import torch

        self.look()
        if not torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
            return Used(self.most)
        device = max(range(torch.cuda.device_count()), key=torch.cuda.max_memory_reserved)
        free, _ = torch.cuda.mem_get_info(device)
        return Used(
            self.most,
            gpu=torch.cuda.max_memory_reserved(device) + CONTEXT,
            gpu_free=free + torch.cuda.memory_reserved(device) + CONTEXT,
        )


def serve(connection: Connection, threads: int) -> None:
    """Does jobs as they come, until the other end closes.

    Args:
        connection: Jobs come here, and everything about them goes back.
        threads: How many of the processor's a run may use that does not say it itself.
    """
    if hasattr(os, "setsid"):
        os.setsid()  # a signal from the terminal goes to whoever asked, and comes here from there
    os.environ["OMP_NUM_THREADS"] = str(threads)
    interrupts = Interrupts()
    with interrupts.listening():
        memory = _Memory()
        threading.Thread(target=_beside_the_work, args=(memory,), daemon=True).start()
        try:
            let_through()
            import torch

            torch.set_num_threads(threads)  # where a script has brought torch before us
            from understudy.studies.executors.doing import do

            for job in _jobs(connection):
                progress = SentProgress(connection)
                ended = do(job, progress=progress, interrupts=interrupts)
                _tell(connection, memory.used())
                _tell(connection, ended)
        except InterruptedRunError:
            _tell(connection, Stopped())
        except Exception:
            _tell(connection, Broken(traceback.format_exc()))


def _jobs(connection: Connection) -> Iterator[Job]:
    """Those that come; a run's own EOFError is none of the end of them."""
    with suppress(EOFError, ConnectionError):
        while True:
            yield connection.recv()


def _tell(connection: Connection, message: Message) -> None:
    with suppress(ConnectionError):  # nobody is there to be told
        connection.send(message)


def _beside_the_work(memory: _Memory) -> None:
    """Watches memory; saves and leaves when whoever asked is gone, for a kill closes nothing."""
    parent = parent_process()
    while parent is not None:
        parent.join(SECONDS_BETWEEN_LOOKS)
        if not parent.is_alive():
            os.kill(os.getpid(), signal.SIGTERM)
            return
        memory.look()
