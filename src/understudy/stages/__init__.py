"""Every stage: one file, one command, one settings class, one function, one summary."""

from collections.abc import Callable
from typing import Any

from understudy.core.settings import Settings
from understudy.stages.distill import DistillSettings, distill
from understudy.stages.evaluate import EvaluateSettings, evaluate
from understudy.stages.export import ExportSettings, export
from understudy.stages.finetune import FinetuneSettings, finetune
from understudy.stages.pretrain import PretrainSettings, pretrain
from understudy.stages.train import TrainSettings, train

STAGES: dict[str, type[Settings]] = {
    "train": TrainSettings,
    "pretrain": PretrainSettings,
    "finetune": FinetuneSettings,
    "distill": DistillSettings,
    "evaluate": EvaluateSettings,
    "export": ExportSettings,
}
"""The settings of each stage, in the order in which a study usually runs them."""

FUNCTIONS: dict[str, Callable[..., dict[str, Any]]] = {
    "train": train,
    "pretrain": pretrain,
    "finetune": finetune,
    "distill": distill,
    "evaluate": evaluate,
    "export": export,
}
"""What each stage does: settings, pack and run to a summary."""
