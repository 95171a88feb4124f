"""Every method. To add one: write its file, import it here, name it in the union."""

from typing import Annotated

from pydantic import Field

from understudy.methods.barlow_twins import BarlowTwinsSettings
from understudy.methods.byol import ByolSettings
from understudy.methods.classifier_reuse import ClassifierReuseSettings
from understudy.methods.dino import DinoSettings
from understudy.methods.distilled import DistilledSettings
from understudy.methods.moco import MocoSettings
from understudy.methods.simclr import SimclrSettings
from understudy.methods.simsiam import SimsiamSettings
from understudy.methods.swav import SwavSettings
from understudy.methods.vicreg import VicregMethodSettings

AnySelfSupervised = Annotated[
    SimclrSettings
    | ByolSettings
    | MocoSettings
    | SimsiamSettings
    | BarlowTwinsSettings
    | VicregMethodSettings
    | SwavSettings
    | DinoSettings,
    Field(discriminator="kind"),
]
"""Methods of a pretraining; `kind` tells them apart."""

AnyDistillation = Annotated[
    DistilledSettings | ClassifierReuseSettings, Field(discriminator="kind")
]
"""Methods of a distillation."""

BY_STAGE = ("supervised", "mutual", "fixmatch")
"""Methods that are chosen by their stage, not by a setting: `train` and `finetune`, `mutual`,
`fixmatch`."""

__all__ = [
    "BY_STAGE",
    "AnyDistillation",
    "AnySelfSupervised",
    "BarlowTwinsSettings",
    "ByolSettings",
    "ClassifierReuseSettings",
    "DinoSettings",
    "DistilledSettings",
    "MocoSettings",
    "SimclrSettings",
    "SimsiamSettings",
    "SwavSettings",
    "VicregMethodSettings",
]
