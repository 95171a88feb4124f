"""What a backbone is: images in, features out, widths declared beforehand."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from torch import Tensor, nn

from understudy.core.settings import Settings
from understudy.core.types import Outputs, Shape, Stage, Tap
from understudy.models.inflation import Colours, inflated


class Backbone(nn.Module, ABC):
    """A network without a head; it knows no classes and no objective."""

    shape: Shape
    """Widths of `pooled` and of the stages; `num_classes` and `projected` stay None."""

    @abstractmethod
    def forward(self, images: Tensor, taps: frozenset[Tap]) -> Outputs:
        """Computes what is asked for and nothing else.

        Args:
            images: [B, C, H, W], already normalised.
            taps: POOLED and STAGES are answered; the others need a `Network`.
        """

    @abstractmethod
    def layers(self) -> tuple[tuple[str, ...], ...]:
        """Names of its tensors, shallow first: the stem's, then those of each of its stages.

        What comes behind the last stage belongs to it. A backbone that is not divided gives all in
        one.
        """


class ForeignClassifier(NamedTuple):
    """A linear classifier that was written elsewhere."""

    names: tuple[str, ...]
    """Of its tensors, in the file."""
    weight: Tensor
    """[K, D]."""
    bias: Tensor
    """[K]."""


class Foreign(NamedTuple):
    """Weights that were written elsewhere, made those of our backbone."""

    tensors: Mapping[str, Tensor]
    prefix: str
    """What our backbone puts before their names."""
    left_aside: tuple[str, ...]
    """Names of what belongs to a head."""
    mean: tuple[float, ...] | None
    """Of each channel of the images in [0, 1] that they were trained on; None: not known."""
    std: tuple[float, ...] | None
    classifier: ForeignClassifier | None = None
    """Of what is left aside: where there is one, and it is linear."""


class BackboneSettings(Settings):
    """Base of the settings of backbones."""

    kind: str

    @abstractmethod
    def build(self, channels: int) -> Backbone:
        """The backbone for images of so many channels, freshly initialised.

        The initialisation draws from torch's global generator: use `NetworkSettings.build`, which
        seeds it.

        Raises:
            UsageError: The settings cannot be built; it says what to change.
        """

    def foreign(
        self,
        backbone: Backbone,
        tensors: Mapping[str, Tensor],
        *,
        channels: int,
        tag: str | None,  # noqa: ARG002 - for the kinds that translate
        colours: Colours | None = None,
    ) -> Foreign:
        """Weights as others write them; here they have the backbone's own names.

        Those of three channels become those of ours.

        Args:
            backbone: As `build` made it.
            tensors: What a file holds.
            channels: Of our images.
            tag: Which of several published weights they are.
            colours: Where red, green and blue are among our channels, if those are bands.
        """
        fitting = inflated(tensors, backbone.state_dict(), channels=channels, colours=colours)
        return Foreign(fitting, prefix="", left_aside=(), mean=None, std=None)


class Staged(Backbone):
    """A stem, then stages that each halve the resolution or keep it, then a global mean.

    The last stage ends in a relu, as all of ours do.

    Args:
        stem: What comes before the first stage.
        stages: One module for each entry of `widths`.
        widths: Channels after each stage.
        strides: By how much each stage shrinks the images; the stem shrinks nothing.
    """

    def __init__(
        self,
        *,
        stem: nn.Module,
        stages: Sequence[nn.Module],
        widths: Sequence[int],
        strides: Sequence[int],
    ) -> None:
        super().__init__()
        self.stem = stem
        self.stages = nn.ModuleList(stages)
        self.shape = _shape(widths, strides)
        self.apply(_initialise)

    def forward(self, images: Tensor, taps: frozenset[Tap]) -> Outputs:
        """Runs all stages and keeps what is asked for."""
        features = self.stem(images)
        stages = []
        for stage in self.stages:
            features = stage(features)
            stages.append(features)

        return Outputs(
            pooled=features.mean(dim=(2, 3)) if Tap.POOLED in taps else None,
            stages=tuple(stages) if Tap.STAGES in taps else (),
        )

    def layers(self) -> tuple[tuple[str, ...], ...]:
        """The stem's, and those of each stage."""
        parts = ("stem", *(f"stages.{number}" for number in range(len(self.stages))))
        names = list(self.state_dict())
        return tuple(tuple(name for name in names if name.startswith(f"{part}.")) for part in parts)


def _shape(widths: Sequence[int], strides: Sequence[int]) -> Shape:
    stages = []
    reduction = 1
    for number, (width, stride) in enumerate(zip(widths, strides, strict=True), start=1):
        reduction *= stride
        stages.append(Stage(name=f"stage{number}", channels=width, reduction=reduction))
    return Shape(pooled=widths[-1], stages=tuple(stages), averaged=True)


def _initialise(module: nn.Module) -> None:
    """Kaiming normal over the outputs, as He et al. 2015; batch norms start at 1 and 0 anyway."""
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
