"""Every backbone there is. To add one: write its file, import it here, name it in the union.

A backbone gives features; a `Network` (network.py) puts normalisation before it and heads behind.
"""

from typing import Annotated, get_args

from pydantic import Field

from understudy.models.backbone import BackboneSettings
from understudy.models.cifar_resnet import CifarResNetSettings
from understudy.models.resnet_by_depth import ResNetByDepthSettings
from understudy.models.timm_backbone import TimmSettings

AnyBackbone = Annotated[
    CifarResNetSettings | ResNetByDepthSettings | TimmSettings,
    Field(discriminator="kind"),
]


def every_backbone() -> tuple[type[BackboneSettings], ...]:
    """The settings of all backbones, in the order of the union."""
    union, *_ = get_args(AnyBackbone)
    return get_args(union)
