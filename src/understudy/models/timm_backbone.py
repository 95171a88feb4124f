"""Any backbone of timm, by name; the only file that knows timm."""

import difflib
import itertools
import sys
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pydantic import Field, field_validator
from torch import Tensor, nn

from understudy.core.errors import MissingResourceError, UsageError
from understudy.core.types import Outputs, Shape, Stage, Tap
from understudy.models.backbone import (
    Backbone,
    BackboneSettings,
    Foreign,
    ForeignClassifier,
)
from understudy.models.inflation import RGB, Colours, by_colour

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

    def layers(self) -> tuple[tuple[str, ...], ...]:
        """As timm divides the model for layer-wise rates, coarsely: `group_matcher(coarse=True)`.

        The stages of a ResNet or a ConvNeXt, the blocks of a vision transformer, the convolutions
        of a VGG, each behind the stem. What no group of timm's names, as a last norm or the dense
        layers of a VGG, belongs to the last stage.
        """
        from timm.models._manipulate import group_with_matcher

        names = list(self.model.state_dict())
        if not hasattr(self.model, "group_matcher"):
            return (tuple(f"model.{name}" for name in names),)
        matcher: Any = self.model.group_matcher(coarse=True)
        group: Any = group_with_matcher
        # timm puts what is in no group behind all others; a name that nothing has tells which.
        found = list(group([(name, name) for name in [*names, ""]], matcher).values())
        *groups, unnamed = ([f"model.{name}" for name in each if name] for each in found)
        if groups:
            groups[-1] += unnamed
        return tuple(tuple(each) for each in groups or [unnamed])


class Published(NamedTuple):
    """Weights that timm knows, as its `pretrained_cfg` describes them."""

    tag: str
    place: str
    """Their repository on the hub."""
    licence: str
    """As stated there; "" where nothing is."""
    mean: tuple[float, ...]
    std: tuple[float, ...]
    first: tuple[str, ...]
    """Names of the layers that take the images."""
    heads: tuple[str, ...]
    """Names of the layers that give the logits."""


@cache
def _listed() -> frozenset[str]:
    """The names of its models, listed once: a study of hundreds of runs asks a thousand times."""
    import timm

    return frozenset(timm.list_models())


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
        if name in _listed():
            return name
        import timm  # not at the top: see `_model`

        known = timm.list_models()  # a model may have been registered since
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
        shape = Shape(pooled=model.head_hidden_size, stages=stages, averaged=_averages(model))

        return TimmBackbone(model, shape=shape, positions=positions)

    def tags(self) -> list[str]:
        """Tags of the weights that timm knows for this model; its own choice comes first."""
        import timm

        names: list[str] = timm.list_pretrained(f"{self.name}.*")
        own = self.published(None).tag
        return sorted((name.split(".", 1)[1] for name in names), key=lambda tag: (tag != own, tag))

    def published(self, tag: str | None) -> Published:
        """What timm says of weights of this model.

        Args:
            tag: One of `tags`; by default timm's own choice, of which little is known where it has
                no weights of this model.
        """
        from timm.models import get_pretrained_cfg

        found: Any = get_pretrained_cfg(f"{self.name}.{tag}" if tag else self.name)
        return Published(
            tag=getattr(found, "tag", None) or "",
            place=getattr(found, "hf_hub_id", None) or "",
            licence=getattr(found, "license", None) or "",
            mean=tuple(getattr(found, "mean", ())),
            std=tuple(getattr(found, "std", ())),
            first=_names(getattr(found, "first_conv", None)),
            heads=_names(getattr(found, "classifier", None)),
        )

    def fetched(self, tag: str | None) -> Path:
        """The safetensors file of timm's weights, downloaded where it was not before.

        Raises:
            MissingResourceError: It cannot be had.
        """
        from huggingface_hub import hf_hub_download  # what timm itself downloads with

        published = self.published(tag)
        try:
            return Path(hf_hub_download(published.place, "model.safetensors"))
        except Exception as error:  # the network has many ways to fail, and the hub some of its own
            reason = " ".join(str(error).split("\n")[0].split()) or type(error).__name__
            raise MissingResourceError(
                f"{self.name}.{published.tag}: its weights cannot be downloaded from "
                f"{published.place} ({reason}). Where there is a network, fetch "
                "`model.safetensors` of that repository once, and give `weights=FILE`."
            ) from error

    def foreign(
        self,
        backbone: Backbone,
        tensors: Mapping[str, Tensor],
        *,
        channels: int,
        tag: str | None,
        colours: Colours | None = None,
    ) -> Foreign:
        """Weights under timm's names: translated as timm itself does, its classifier left aside.

        The first layers are adapted to the number of channels as timm adapts them: for one channel
        the weights are summed, for others repeated and scaled. The mean and the deviation follow.
        Where it is known which channels are red, green and blue, these get the weights of their
        own colour, and all others the mean of the three.

        Raises:
            UsageError: timm cannot make sense of them.
        """
        assert isinstance(backbone, TimmBackbone)
        published = self.published(tag)
        heads = {f"{head}.{part}" for head in published.heads for part in ("weight", "bias")}
        theirs = _translated(self.name, backbone.model, dict(tensors))
        aside = tuple(sorted(name for name in theirs if name in heads))
        kept = {name: tensor for name, tensor in theirs.items() if name not in heads}
        try:
            kept = _with_channels(kept, published.first, backbone.model, channels, colours)
        except Exception as error:  # whatever a model's own code raises at weights not meant for it
            raise UsageError(
                f"timm cannot read these weights as those of {self.name!r}: "
                f"{type(error).__name__}: {error}"
            ) from error

        return Foreign(
            kept,
            prefix="model.",
            left_aside=aside,
            mean=_over_channels(published.mean, channels),
            std=_over_channels(published.std, channels),
            classifier=_linear(published.heads, theirs),
        )

    def class_names(self, tag: str | None, number: int) -> tuple[str, ...]:
        """What timm calls the classes of weights of this model: WordNet numbers (n01440764).

        Args:
            tag: One of `tags`; by default timm's own choice.
            number: How many classes the weights tell apart.

        Raises:
            UsageError: It has no names for so many classes.
        """
        from timm.data.imagenet_info import ImageNetInfo, infer_imagenet_subset

        subset = infer_imagenet_subset({"num_classes": number})
        if not subset:
            raise UsageError(
                f"classes = timm: timm has no names for the {number} classes of "
                f"{self.name}{f'.{tag}' if tag else ''}. Give `classes` as a list, in their order."
            )
        info: Any = ImageNetInfo(subset)
        return tuple(info.label_names())

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


def _averages(model: Any) -> bool:
    """Whether it pools as `Shape.averaged` says; of families other than ResNets, norms come after.

    A ResNet may be told to pool or to bend in another way.
    """
    return (
        type(model).__name__ == "ResNet"
        and getattr(model.global_pool, "pool_type", "") == "avg"
        and isinstance(model.act1, nn.ReLU)
    )


def _linear(heads: Sequence[str], tensors: Mapping[str, Tensor]) -> ForeignClassifier | None:
    """The classifier, where there is one alone that reads features in one row."""
    if len(heads) != 1:
        return None
    names = (f"{heads[0]}.weight", f"{heads[0]}.bias")
    weight, bias = (tensors.get(name) for name in names)
    if weight is None or bias is None or weight.ndim != 2:
        return None
    return ForeignClassifier(names, weight, bias)


def _names(given: str | Iterable[str] | None) -> tuple[str, ...]:
    """One layer is named by its name, several by a list."""
    return (given,) if isinstance(given, str) else tuple(given or ())


def _translated(name: str, model: Any, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Older names and other resolutions, as the model's own file in timm translates them.

    What that code cannot read stays as it is: it is compared name by name afterwards.
    """
    from timm.models import model_entrypoint

    for module in (model_entrypoint(name).__module__, type(model).__module__):
        translate: Any = getattr(sys.modules[module], "checkpoint_filter_fn", None)
        if translate is not None:
            try:
                found: dict[str, Tensor] = translate(dict(tensors), model)
            except Exception:  # it was written for weights of this model, and meets others
                return tensors
            return found
    return tensors


def _with_channels(
    tensors: dict[str, Tensor],
    layers: Sequence[str],
    model: Any,
    channels: int,
    colours: Colours | None,
) -> dict[str, Tensor]:
    from timm.models import adapt_input_conv

    adapt: Any = adapt_input_conv
    expected = model.state_dict()
    names = [name for layer in layers if (name := f"{layer}.weight") in tensors]
    if colours is not None:
        rgb = [name for name in names if tensors[name].shape[1] == RGB]
        return tensors | {name: by_colour(tensors[name], channels, colours) for name in rgb}
    return tensors | {
        name: adapt(channels, tensors[name])
        for name in names
        if name in expected and tensors[name].shape != expected[name].shape
    }


def _over_channels(values: tuple[float, ...], channels: int) -> tuple[float, ...] | None:
    """Statistics for another number of channels, as the weights: one mean, or repeated in turn."""
    if not values:
        return None
    if channels == 1:
        return (sum(values) / len(values),)
    return tuple(itertools.islice(itertools.cycle(values), channels))


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
