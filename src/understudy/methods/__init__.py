"""Every method. To add one: write its file, import it here, name it in the union."""

from typing import Annotated

from pydantic import Field

from understudy.methods.classifier_reuse import ClassifierReuseSettings
from understudy.methods.distilled import DistilledSettings
from understudy.methods.simclr import SimclrSettings

AnySelfSupervised = SimclrSettings
"""Methods of a pretraining; `kind` tells them apart."""

AnyDistillation = Annotated[
    DistilledSettings | ClassifierReuseSettings, Field(discriminator="kind")
]
"""Methods of a distillation."""

BY_STAGE = ("supervised", "mutual")
"""Methods that are chosen by their stage, `train`, `finetune` or `mutual`, not by a setting."""

__all__ = [
    "BY_STAGE",
    "AnyDistillation",
    "AnySelfSupervised",
    "ClassifierReuseSettings",
    "DistilledSettings",
    "SimclrSettings",
]
