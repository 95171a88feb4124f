"""The process that does runs for another one, and stays warm between them.

This file is read before torch is: the number of threads has to be said first.
"""

import os
import signal
import threading
import traceback
from multiprocessing import parent_process
from multiprocessing.connection import Connection

from understudy.core.errors import InterruptedRunError
from understudy.core.interrupts import Interrupts
from understudy.studies.executors.messages import Broken, SentProgress, Stopped


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
            import torch

            torch.set_num_threads(threads)  # where a script has brought torch before us
            from understudy.studies.executors.doing import do

            while True:
                job = connection.recv()
                progress = SentProgress(connection)
                connection.send(do(job, progress=progress, interrupts=interrupts))
        except EOFError:
            return
        except InterruptedRunError:
            connection.send(Stopped())
        except ConnectionError:  # nobody is there to be told
            return
        except Exception:
            connection.send(Broken(traceback.format_exc()))


def _leave_with_parent() -> None:
    """Saves and leaves when whoever asked is gone: a killed process closes nothing in order."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)
