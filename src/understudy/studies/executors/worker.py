"""The process that does runs for another one, and stays warm between them.

This file is read before torch is: the number of threads has to be said first.
"""

import os
import signal
import threading
import traceback
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing import parent_process
from multiprocessing.connection import Connection

from understudy.core.errors import InterruptedRunError
from understudy.core.interrupts import Interrupts, let_through
from understudy.studies.executors.executor import Job
from understudy.studies.executors.messages import Broken, Message, SentProgress, Stopped


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
        threading.Thread(target=_leave_with_parent, daemon=True).start()
        try:
            let_through()
            import torch

            torch.set_num_threads(threads)  # where a script has brought torch before us
            from understudy.studies.executors.doing import do

            for job in _jobs(connection):
                progress = SentProgress(connection)
                _tell(connection, do(job, progress=progress, interrupts=interrupts))
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


def _leave_with_parent() -> None:
    """Saves and leaves when whoever asked is gone: a killed process closes nothing in order."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)
