"""One job, done in this process."""

import gc

from understudy.core.errors import UnderstudyError
from understudy.core.interrupts import Interrupts
from understudy.core.progress import Progress
from understudy.stages.launch import launch
from understudy.studies.executors.executor import Done, Ended, Job


def do(job: Job, *, progress: Progress, interrupts: Interrupts) -> Ended:
    """Does a job, or finds that it has been done; an error that a user can meet is its result.

    Raises:
        InterruptedRunError: A signal came; what was begun is saved.
    """
    gc.freeze()  # what was there before is not looked through: with torch's modules that took 0.2 s
    try:
        launched = launch(
            job.stage,
            job.recipe,
            origin=job.origin,
            name=job.name,
            runs=job.runs,
            shared=job.runs / "shared",
            out=None,
            progress=progress,
            interrupts=interrupts,
            told_of_images=True,
            at_once=job.at_once,
        )
    except UnderstudyError as error:
        return Ended(job, error)
    finally:
        gc.collect()  # its tensors, before the next one takes its own
        gc.unfreeze()
    run = launched.run
    return Ended(job, Done(run.path, run.identity, launched.summary, launched.was_skipped))
