"""One job, done in a process of a cluster."""

import os
import platform
import traceback
from pathlib import Path
from typing import Any, NamedTuple

from understudy.core.errors import InterruptedRunError, StorageError
from understudy.core.interrupts import Interrupts
from understudy.studies.executors.executor import Ended, Job
from understudy.studies.executors.messages import Broken, SentProgress, Shown, Stopped


class Mailbox:
    """Keeps what is to be shown until it is asked for; lives in a process of its own."""

    def __init__(self) -> None:
        self._kept: list[tuple[str, Shown]] = []

    def put(self, key: str, shown: Shown) -> None:
        """Keeps something that the run of this key shows."""
        self._kept.append((key, shown))

    def take(self) -> list[tuple[str, Shown]]:
        """What was kept since the last time, in its order."""
        kept, self._kept = self._kept, []
        return kept


class Letters(NamedTuple):
    """Sends what one run shows to the mailbox."""

    mailbox: Any
    key: str

    def send(self, shown: Shown) -> None:
        """Sends it, and does not wait until it has come."""
        self.mailbox.put.remote(self.key, shown)


def do_there(job: Job, folder: str, threads: int, mailbox: Any) -> Ended | Stopped | Broken:
    """Does a job as it would be done in the folder where it was asked for.

    Args:
        job: What to do.
        folder: Where whoever asked stands: paths begin there.
        threads: How many a run may use that does not say it itself.
        mailbox: Where to send what is to be shown.
    """
    interrupts = Interrupts()
    try:
        with interrupts.listening():  # who cancels a run interrupts its main thread
            if not Path(folder, job.runs).is_dir():
                return Ended(job, StorageError(_NOT_SHARED.format(platform.node(), job, folder)))
            os.chdir(folder)
            import torch

            torch.set_num_threads(threads)
            from understudy.studies.executors.doing import do

            return do(job, progress=SentProgress(Letters(mailbox, job.key)), interrupts=interrupts)
    except InterruptedRunError:
        return Stopped()
    except Exception:
        return Broken(traceback.format_exc())


_NOT_SHARED = (
    "{0}: a machine of the cluster, where {1.runs} in {2} is no folder. Runs on a cluster lie on a "
    "disk that all its machines see under the same path: choose such a folder with `--runs`, and "
    "give the command there."
)
