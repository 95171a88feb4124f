"""Every method. To add one: write its file, import it here, name it in the union."""

from understudy.methods.simclr import SimclrSettings

AnySelfSupervised = SimclrSettings
"""The union of their settings; `kind` tells them apart."""

SUPERVISED = ("supervised", "distilled")
"""Methods that are chosen by their stage, `train` or `finetune` and `distill`, not by a setting."""

__all__ = ["SUPERVISED", "AnySelfSupervised", "SimclrSettings"]
