"""From many images and few labels to a small model, with evidence of what each step is worth."""

from understudy.api import (
    FailedStudyError,
    Report,
    StageResult,
    StudyResult,
    adopt,
    distill,
    evaluate,
    export,
    finetune,
    init,
    pretrain,
    report,
    run,
    train,
)
from understudy.core.errors import UnderstudyError

__all__ = [
    "FailedStudyError",
    "Report",
    "StageResult",
    "StudyResult",
    "UnderstudyError",
    "adopt",
    "distill",
    "evaluate",
    "export",
    "finetune",
    "init",
    "pretrain",
    "report",
    "run",
    "train",
]
