"""A backbone with everything that its images and its objectives need around it."""

from collections.abc import Sequence
from typing import Annotated, Any, Self

import torch
from pydantic import Field, PositiveInt, SerializerFunctionWrapHandler, model_serializer
from torch import Tensor, nn

from understudy.core.depth import Depth
from understudy.core.errors import DataError, UsageError
from understudy.core.numbers import Numbers
from understudy.core.seeds import derived_seed
from understudy.core.settings import Settings
from understudy.core.types import Outputs, Shape, Tap
from understudy.models import AnyBackbone
from understudy.models.backbone import Backbone
from understudy.models.dense import Dense, HeadSettings
from understudy.models.heads import (
    Hidden,
    HiddenSettings,
    Missing,
    Projector,
    ProjectorSettings,
)
from understudy.models.initialise import drawn_from
from understudy.models.neck import Neck, NeckSettings

STORED = 2
"""Dimensions of features that stand in the place of images."""
FROM_POOLED = frozenset({Tap.POOLED, Tap.LOGITS, Tap.PROJECTED})


class Normalise(nn.Module):
    """Centres and scales each channel; part of the weights, so a teacher keeps its own."""

    mean: Tensor
    std: Tensor

    def __init__(self, *, mean: Sequence[float], std: Sequence[float]) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean, dtype=torch.float32))
        self.register_buffer("std", torch.tensor(std, dtype=torch.float32))

    def forward(self, images: Tensor) -> Tensor:
        """[B, C, H, W] in [0, 1] to the same, about zero."""
        return (images - self.mean[:, None, None]) / self.std[:, None, None]


class Network(nn.Module):
    """Normalisation, backbone, and a classifier or a projector or both or neither.

    Args:
        normalise: For images in [0, 1].
        backbone: Gives the pooled features.
        classifier: Linear, from the pooled features, or from what the dense layers give.
        projector: From the pooled features.
        neck: Between the backbone's last stage and the pooled features; None: they are the
            backbone's own.
        hidden: Between those and the classifier, whose features are then the pooled ones; None:
            nothing is.
        dense: Between the pooled features and the classifier; None: nothing is.
    """

    def __init__(
        self,
        *,
        normalise: Normalise,
        backbone: Backbone,
        classifier: nn.Linear | None,
        projector: Projector | None,
        neck: Neck | None = None,
        hidden: Hidden | None = None,
        dense: Dense | None = None,
    ) -> None:
        super().__init__()
        self.normalise = normalise
        self.backbone = backbone
        self.classifier = classifier or _no_classifier()
        self.projector = projector or Missing(
            "projector", remedy="Set `projector`, or choose objectives that do without one."
        )
        self.neck, self.hidden, self.dense = neck, hidden, dense
        self.shape = _behind(backbone.shape, neck, hidden)._replace(
            num_classes=classifier.out_features if classifier else None,
            projected=projector.out if projector else None,
        )
        self._still: tuple[str, ...] = ()  # parts that stay as in evaluation, whatever the mode

    def take_backbone(self, other: "Network") -> None:
        """Copies another network's backbone, and the normalisation that it was trained with."""
        self.backbone.load_state_dict(other.backbone.state_dict())
        self.normalise.load_state_dict(other.normalise.state_dict())

    def freeze_backbone(self, *, last_stages: int = 0) -> None:
        """Leaves learning to the heads, and to so many of the backbone's last stages.

        What does not learn keeps its weights and, being as in evaluation, its statistics. Where no
        stage learns, the layers that were kept of a projector do not either: they are features.

        Args:
            last_stages: As `Backbone.layers` counts them; the stem is none of them.

        Raises:
            UsageError: There are fewer.
        """
        _, *stages = self.backbone.layers()
        if last_stages > len(stages):
            raise UsageError(_too_many(last_stages, len(stages)))
        learning = {name for stage in stages[len(stages) - last_stages :] for name in stage}
        for name, weight in self.backbone.named_parameters():
            weight.requires_grad_(name in learning)
        still = [f"backbone.{name}".rstrip(".") for name in _apart_from(self.backbone, learning)]
        if self.hidden is not None and not last_stages:
            self.hidden.requires_grad_(False)
            still.append("hidden")
        self._still = tuple(still)
        self.train(self.training)

    def drop_classifier(self) -> None:
        """Leaves the classifier behind, as a network that was built without one."""
        self.classifier, self.dense = _no_classifier(), None
        self.shape = self.shape._replace(num_classes=None)

    def train(self, mode: bool = True) -> Self:
        """Changes the mode of all parts that learn."""
        super().train(mode)
        for part in self._still:
            self.get_submodule(part).eval()
        return self

    def forward(self, images: Tensor, taps: frozenset[Tap]) -> Outputs:
        """Computes what is asked for and nothing else.

        Args:
            images: [B, C, H, W] in [0, 1]; or [B, D], what `backbone_features` gave for them.
            taps: What to compute; the rest is None. Of features no stages can be had.

        Raises:
            UsageError: A tap needs a head that this network does not have.
        """
        wanted = taps & {Tap.STAGES} | ({Tap.POOLED} if taps & FROM_POOLED else frozenset())
        features: Outputs
        if images.ndim == STORED:
            features = Outputs(pooled=images)
        elif self.neck is None:
            features = self.backbone(self.normalise(images), wanted)
        else:
            seen = self.backbone(self.normalise(images), frozenset({Tap.STAGES}))
            features = self.neck(seen.stages, wanted)
        if self.hidden is not None and features.pooled is not None:
            features = features._replace(pooled=self.hidden(features.pooled))

        return Outputs(
            logits=self._classified(features.pooled) if Tap.LOGITS in taps else None,
            pooled=features.pooled if Tap.POOLED in taps else None,
            projected=self.projector(features.pooled) if Tap.PROJECTED in taps else None,
            stages=features.stages,
        )

    def backbone_features(self, images: Tensor) -> Tensor:
        """What the backbone alone gives [B, D], for a training that asks it once of each image."""
        seen: Outputs = self.backbone(self.normalise(images), frozenset({Tap.POOLED}))
        assert seen.pooled is not None, "it was asked for"
        return seen.pooled

    def _classified(self, pooled: Tensor | None) -> Tensor:
        logits: Tensor = self.classifier(pooled if self.dense is None else self.dense(pooled))
        return logits


class NetworkSettings(Settings):
    """All that is needed to build a network again and load its weights into it."""

    backbone: AnyBackbone
    channels: PositiveInt
    """Of the images."""
    bands: tuple[str, ...] = ()
    """What the channels are called, where they are bands and not those of photographs."""
    depth: Depth = "uint8"
    """Of the images' pixels: the largest value of this type is 1 to the network."""
    numbers: Numbers | None = None
    """What the numbers of the images' files were, of bands; none: nobody knows, as of what was
    trained before it was kept."""
    size: PositiveInt
    """Height and width of the images it is made for."""
    classes: Annotated[tuple[str, ...], Field(min_length=1)] | None
    """Names in the order of the logits; none: no classifier."""
    projector: ProjectorSettings | None = None
    neck: NeckSettings | None = None
    """What leads from the backbone to a classifier of other features; none: nothing does."""
    hidden: HiddenSettings | None = None
    """The layers of a projector that were kept before the classifier; none: nothing was."""
    head: HeadSettings = HeadSettings()
    """What the classifier reads."""

    @model_serializer(mode="wrap")
    def _as_before(self, written: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Without `numbers` where there are none: what these settings are a key to stays found."""
        told: dict[str, Any] = written(self)
        if self.numbers is None:
            told.pop("numbers", None)
        return told

    def build(self, *, mean: Sequence[float], std: Sequence[float], seed: int) -> Network:
        """The network, initialised from `seed` alone; backbone and heads from streams of their own.

        Args:
            mean: Of each channel, of images in [0, 1].
            std: Likewise; above zero.
            seed: Equal seeds give bit-equal weights; the global generator is left as it was.

        Raises:
            UsageError: Mean or std do not fit the channels, or the backbone cannot be built.
            DataError: A channel is the same everywhere.
        """
        self._check(mean, std)
        with drawn_from(derived_seed(seed, "backbone")):
            backbone = self.backbone.build(self.channels)
        with drawn_from(derived_seed(seed, "neck")):
            neck = self.neck.build(backbone.shape, size=self.size) if self.neck else None
        pooled = neck.stage.channels if neck else backbone.shape.pooled
        with drawn_from(derived_seed(seed, "hidden")):
            hidden = self.hidden.build(pooled) if self.hidden else None
        pooled = hidden.out if hidden else pooled
        with drawn_from(derived_seed(seed, "dense")):
            has_dense = self.classes and not self.head.is_linear
            dense = self.head.build(pooled) if has_dense else None
        with drawn_from(derived_seed(seed, "classifier")):
            read = dense.out if dense else pooled
            classifier = nn.Linear(read, len(self.classes)) if self.classes else None
        with drawn_from(derived_seed(seed, "projector")):
            projector = self.projector.build(pooled) if self.projector else None
            normalise = Normalise(mean=mean, std=std)

        return Network(
            normalise=normalise,
            backbone=backbone,
            classifier=classifier,
            projector=projector,
            neck=neck,
            hidden=hidden,
            dense=dense,
        )

    def empty(self) -> Network:
        """The network, with weights and statistics that a checkpoint is to replace."""
        return self.build(mean=(0.0,) * self.channels, std=(1.0,) * self.channels, seed=0)

    def _check(self, mean: Sequence[float], std: Sequence[float]) -> None:
        if len(mean) != self.channels or len(std) != self.channels:
            raise UsageError(
                f"The network takes {self.channels} channels, but the normalisation has "
                f"{len(mean)} means and {len(std)} standard deviations. Give one for each channel."
            )
        flat = [channel for channel, spread in enumerate(std) if not spread > 0]
        if flat:
            raise DataError(
                f"The standard deviation of channel {flat[0]} is {std[flat[0]]}; it must be above "
                "zero. Leave out a channel that is the same in all images, or give it 1."
            )


def _no_classifier() -> Missing:
    return Missing("classifier", remedy="It was trained without labels: finetune it first.")


def _apart_from(backbone: nn.Module, learning: set[str]) -> list[str]:
    """The outermost modules that have tensors of which none learns, by name; "": all of it."""
    names = list(backbone.state_dict())
    found: list[str] = []
    for part, _ in backbone.named_modules():
        own = [name for name in names if not part or name.startswith(f"{part}.")]
        is_inside = any(not outer or part.startswith(f"{outer}.") for outer in found)
        if own and not is_inside and learning.isdisjoint(own):
            found.append(part)
    return found


def _too_many(asked: int, stages: int) -> str:
    if not stages:
        return (
            f"last_stages = {asked}: this backbone is not divided into stages. Set `last_stages` "
            "to 0, or `frozen` to false."
        )
    return (
        f"last_stages = {asked}: this backbone has {stages} stages behind its stem. Set at most "
        f"{stages}, or `frozen` to false where all of it is to learn."
    )


def _behind(backbone: Shape, neck: Neck | None, hidden: Hidden | None) -> Shape:
    """The widths of a backbone with what stands between it and the heads."""
    if neck is not None:
        backbone = backbone._replace(
            pooled=neck.stage.channels,
            stages=(*backbone.stages, neck.stage),
            averaged=neck.rectified,
        )
    return backbone if hidden is None else backbone._replace(pooled=hidden.out, averaged=False)
