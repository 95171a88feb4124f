"""Every stage: one file, one command, one settings class, one function, one summary."""

from collections.abc import Callable
from typing import Any

from understudy.core.settings import Settings
from understudy.stages import (
    adopt,
    distill,
    ensemble,
    evaluate,
    export,
    finetune,
    fixmatch,
    mutual,
    pretrain,
    train,
)

STAGES: dict[str, type[Settings]] = {
    "train": train.TrainSettings,
    "pretrain": pretrain.PretrainSettings,
    "adopt": adopt.AdoptSettings,
    "finetune": finetune.FinetuneSettings,
    "distill": distill.DistillSettings,
    "mutual": mutual.MutualSettings,
    "fixmatch": fixmatch.FixmatchSettings,
    "ensemble": ensemble.EnsembleSettings,
    "evaluate": evaluate.EvaluateSettings,
    "export": export.ExportSettings,
}
"""The settings of each stage, in the order in which a study usually runs them."""

FUNCTIONS: dict[str, Callable[..., dict[str, Any]]] = {
    "train": train.train,
    "pretrain": pretrain.pretrain,
    "adopt": adopt.adopt,
    "finetune": finetune.finetune,
    "distill": distill.distill,
    "mutual": mutual.mutual,
    "fixmatch": fixmatch.fixmatch,
    "ensemble": ensemble.ensemble,
    "evaluate": evaluate.evaluate,
    "export": export.export,
}
"""What each stage does: settings, pack and run to a summary."""
