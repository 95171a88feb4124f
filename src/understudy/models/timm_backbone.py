"""Any backbone of timm, by name; the only file that knows timm."""

import difflib
from collections.abc import Sequence
from typing import Any, Literal

from pydantic import Field, field_validator
from torch import Tensor, nn

from understudy.core.errors import UsageError
from understudy.core.types import Outputs, Shape, Stage, Tap
from understudy.models.backbone import Backbone, BackboneSettings

# What timm's factory must not be told: we decide these, or they would fetch or unpickle weights.
RESERVED = frozenset(
    {
        "cache_dir",
        "checkpoint_path",
        "features_only",
        "in_chans",
        "model_name",
        "num_classes",
        "pretrained",
        "pretrained_cfg",
        "pretrained_cfg_overlay",
        "pretrained_model_args",
        "scriptable",
    }
)
STEM_REDUCTION = 4  # of an ImageNet ResNet: a convolution and a max pool, each of stride 2

Options = dict[str, bool | int | float | str]


class TimmBackbone(Backbone):
    """A timm model without its classifier.

    Args:
        model: Built with `num_classes=0`.
        shape: Its declared widths.
        positions: Which of timm's intermediate features are the stages of `shape`.
    """

    def __init__(self, model: Any, *, shape: Shape, positions: Sequence[int]) -> None:
        super().__init__()
        self.model = model
        self.shape = shape
        self._positions = list(positions)

    def forward(self, images: Tensor, taps: frozenset[Tap]) -> Outputs:
        """Pools as the model itself does before its classifier."""
        stages: tuple[Tensor, ...] = ()
        if Tap.STAGES in taps:
            features, found = self.model.forward_intermediates(images, indices=self._positions)
            stages = tuple(found)
        else:
            features = self.model.forward_features(images)

        pooled = self.model.forward_head(features, pre_logits=True) if Tap.POOLED in taps else None
        return Outputs(pooled=pooled, stages=stages)


class TimmSettings(BackboneSettings):
    """Any model of timm, with random weights: nothing is downloaded."""

    kind: Literal["timm"] = "timm"
    name: str
    """As `timm.list_models()` gives it, without a pretrained tag: resnet18, convnext_atto."""
    small_stem: bool = False
    """For images of about 32 pixels: begin a ResNet with a 3x3 convolution of stride 1, without
    max pool."""
    options: Options = Field(default={})
    """Further arguments of the model, such as `img_size: 32` and `patch_size: 4` of a vision
    transformer."""

    @field_validator("name")
    @classmethod
    def _is_known(cls, name: str) -> str:
        """Refuses another name while a study is planned, before anything is trained."""
        import timm  # not at the top: see `_model`

        known = timm.list_models()
        if name not in known:
            close = difflib.get_close_matches(name, known, n=5, cutoff=0.0)
            raise ValueError(
                f"is no model of timm; the nearest are {', '.join(close)}. "
                "Names carry no pretrained tag; `timm.list_models()` shows all of them"
            )
        return name

    @field_validator("options")
    @classmethod
    def _leaves_ours_alone(cls, options: Options) -> Options:
        taken = sorted(RESERVED & options.keys())
        if taken:
            raise ValueError(f"must leave out {', '.join(taken)}: understudy sets these itself")
        return options

    def build(self, channels: int) -> TimmBackbone:
        """The model with its own initialisation, except for a small stem.

        Raises:
            UsageError: timm cannot build it like this, or the model has no stem that can be made
                small.
        """
        model = self._model(channels)
        if self.small_stem:
            _shrink_stem(model, self.name)
        stages, positions = _stages(model, small_stem=self.small_stem)
        shape = Shape(pooled=model.head_hidden_size, stages=stages)

        return TimmBackbone(model, shape=shape, positions=positions)

    def _model(self, channels: int) -> Any:
        # Not at the top: timm takes seconds to import, and most commands build none of its models.
        import timm

        try:
            create: Any = timm.create_model
            return create(self.name, num_classes=0, in_chans=channels, **self.options)
        except Exception as error:  # whatever a model's own code raises at arguments it cannot use
            raise UsageError(
                f"timm cannot build {self.name!r} for {channels} channels with the options "
                f"{self.options}: {type(error).__name__}: {error}"
            ) from error


def _stages(model: Any, *, small_stem: bool) -> tuple[tuple[Stage, ...], list[int]]:
    """The last features of each resolution, and their positions among timm's intermediates.

    Read from timm's declaration; its reductions are rounded where a model pads unevenly.
    """
    if not hasattr(model, "forward_intermediates"):
        return (), []
    spared = STEM_REDUCTION if small_stem else 1
    last = {}
    for position, entry in enumerate(model.feature_info):
        reduction = max(1, entry["reduction"] // spared)
        last[reduction] = (Stage(entry["module"], entry["num_chs"], reduction), position)
    stages, positions = zip(*last.values(), strict=True)
    return stages, list(positions)


def _shrink_stem(model: Any, name: str) -> None:
    """Takes the first convolution's stride and the max pool away from a ResNet."""
    if type(model).__name__ != "ResNet":
        raise UsageError(
            f"small_stem: {name!r} is a {type(model).__name__}, which has no ResNet stem. Leave "
            "`small_stem` out, or choose a ResNet such as resnet18, resnet50 or resnext50_32x4d."
        )
    old: Any = model.conv1
    if isinstance(model.conv1, nn.Sequential):  # a deep stem, of 3x3 convolutions already
        old[0].stride = (1, 1)
    else:
        model.conv1 = nn.Conv2d(old.in_channels, old.out_channels, 3, padding=1, bias=False)
        nn.init.kaiming_normal_(model.conv1.weight, mode="fan_out", nonlinearity="relu")
    model.maxpool = nn.Identity()
