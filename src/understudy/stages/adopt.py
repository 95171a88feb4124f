"""Adopt weights that were trained elsewhere, in place of a pretraining of our own."""

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Self

import numpy as np
from pydantic import Field, model_validator
from torch import Tensor

from understudy.core.environment import environment
from understudy.core.errors import UsageError
from understudy.core.files import read_given
from understudy.core.run import Run
from understudy.core.settings import Aside, FilePath
from understudy.core.wording import nearest
from understudy.data.bands.names import colours
from understudy.data.labels import FewLabelsSettings
from understudy.data.pack import Pack
from understudy.engine.checkpoint import Checkpoint, notes_of, publish, tensors_from
from understudy.models import AnyBackbone
from understudy.models.adoption import Adopted, Bands, Statistics, adopted
from understudy.models.heads import ProjectorSettings
from understudy.models.network import NetworkSettings
from understudy.models.timm_backbone import TimmSettings
from understudy.stages.label_count import labels_read
from understudy.stages.material import LabelledSettings, material
from understudy.stages.observers import features_on

TRIED = 2  # images that the network is shown, to see that it takes them
Values = Annotated[tuple[float, ...], Field(min_length=1)]


class AdoptSettings(LabelledSettings):
    """Adopt weights that were trained elsewhere, in place of a pretraining.

    Nothing is trained: the run holds the network as a pretraining would, so that it can be
    fine-tuned and evaluated. Its classifier is left aside, unless `classes` names what it tells
    apart: then the run is a classifier, and may teach. The file is known by its content.
    """

    stage: Literal["adopt"] = "adopt"
    labels: Annotated[FewLabelsSettings, Aside()] = FewLabelsSettings()
    """What the probes of an evaluation know; changes no identity."""
    backbone: AnyBackbone
    """The network that the weights are of."""
    weights: Literal["timm"] | FilePath
    """`timm`, which downloads those of a timm backbone; or a safetensors file: timm's, or a
    checkpoint of a run."""
    tag: str | None = None
    """Which of timm's weights, such as `a1_in1k`; by default timm's choice. Of a file it says which
    mean and deviation are its own."""
    mean: Values | None = None
    """Of each channel of the images in [0, 1] that the weights were trained on; by default what
    timm or the checkpoint states, and of weights of photographs for bands what these images
    have."""
    std: Values | None = None
    """Standard deviation, as `mean`."""
    projector: ProjectorSettings | None = None
    """The projection head of the file, as it is built, to be kept beside the backbone; none: it is
    left aside."""
    classes: Literal["timm"] | Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    """Names of the classes that the file's classifier tells apart, in its order; or `timm`, for
    timm's names of ImageNet's classes: WordNet numbers such as n01440764. None: it is left
    aside."""

    @model_validator(mode="before")
    @classmethod
    def _with_timms_tag(cls, values: Any) -> Any:
        """Writes out which weights timm's choice is, so that the run's identity tells."""
        if not isinstance(values, dict) or values.get("weights") != "timm" or values.get("tag"):
            return values
        try:
            backbone = TimmSettings.model_validate(values.get("backbone"))
        except ValueError:
            return values  # another kind, or a mistake that is told elsewhere
        return {**values, "tag": backbone.published(None).tag or None}

    @model_validator(mode="after")
    def _go_together(self) -> Self:
        timm = self.backbone if isinstance(self.backbone, TimmSettings) else None
        if (self.mean is None) != (self.std is None):
            raise ValueError("give both `mean` and `std`, or neither")
        twice = sorted({one for one in self.classes or () if (self.classes or ()).count(one) > 1})
        if self.classes != "timm" and twice:
            raise ValueError(f"classes: {', '.join(twice)} named twice; name each class once")
        if timm is None and self.classes == "timm":
            raise ValueError("`classes: timm` goes with `backbone.kind: timm` alone")
        if timm is None and (self.weights == "timm" or self.tag):
            raise ValueError("`weights: timm` and `tag` go with `backbone.kind: timm` alone")
        tags = timm.tags() if timm and (self.weights == "timm" or self.tag) else []
        if timm and self.weights == "timm" and not tags:
            raise ValueError(f"timm has no weights of {timm.name}; give `weights` as a file")
        if timm and self.tag and self.tag not in tags:
            raise ValueError(
                f"timm has no weights {timm.name}.{self.tag}; {nearest(self.tag, tags)}"
            )
        return self

    def must_be_at_hand(self) -> None:
        """Looks for the file, or downloads it."""
        self.file()

    def must_fit(self, pack: Pack) -> None:
        """Looks whether the weights fit the network and the network the images."""
        super().must_fit(pack)
        network = NetworkSettings(
            backbone=self.backbone,
            channels=int(pack.images.shape[1]),
            bands=pack.bands,
            depth=pack.depth,
            size=self.size or int(pack.images.shape[-1]),
            classes=None,
        )
        flat = Statistics((0.0,) * network.channels, (1.0,) * network.channels)
        _adopted(self, network, pack, own=flat)

    def file(self) -> Path:
        """The safetensors file.

        Raises:
            UsageError: There is no such file.
            MissingResourceError: It cannot be downloaded.
        """
        if isinstance(self.weights, Path):
            return _existing(self.weights)
        assert isinstance(self.backbone, TimmSettings)
        return self.backbone.fetched(self.tag)


def adopt(settings: AdoptSettings, pack: Pack, run: Run) -> dict[str, Any]:
    """Puts the weights into a network for these images, and saves it as a finished training does.

    Returns:
        The summary.
    """
    images = material(settings, pack, run)
    own = Statistics(images.mean, images.std)
    found = _adopted(settings, images.featurizer(settings.backbone), pack, own=own)
    network = found.network

    run.write("network.json", network.model_dump(mode="json"))
    run.write("environment.json", environment())
    publish(
        run.path / "checkpoints",
        "last",
        Checkpoint(model=found.adopted.network.state_dict(), train_state={}, state={"step": 0}),
    )
    none = images.labelled[:0]
    labels = labels_read(run, pack, train=none, validation=none, parents=())
    source = _source(settings, found)
    run.progress.say(f"{run.stage} {run.name}: {_told(source)}")
    return {
        "steps": 0,
        "images": len(images.pool),
        "parameters": sum(weight.numel() for weight in found.adopted.network.parameters()),
        "network": network.model_dump(mode="json"),
        "checkpoints": {"last": {"step": 0}},
        "weights": source,
        "skipped": dict(pack.skipped),
        "notes": list(images.splits.notes),
        "pack": pack.key,
        "split": settings.split.model_dump(mode="json"),
        "seed": settings.seed,
        "labels": labels,
        "parents": {},
    }


def _existing(path: Path) -> Path:
    if path.is_dir():
        inside = path / "checkpoints" / "last" / "model.safetensors"
        hint = f"Did you mean {inside}?" if inside.exists() else "Name a safetensors file in it."
        raise UsageError(f"weights = {path}: is a folder. {hint}")
    if not path.is_file():
        raise UsageError(f"weights = {path}: no such file. Name a safetensors file, or `timm`.")
    return path


class _Found(NamedTuple):
    network: NetworkSettings
    path: Path
    content: bytes
    adopted: Adopted


def _adopted(
    settings: AdoptSettings, bare: NetworkSettings, pack: Pack, *, own: Statistics
) -> _Found:
    """Reads the file into a network, and shows it some images.

    Args:
        settings: Of the stage.
        bare: The network without a head.
        pack: The images.
        own: Their statistics, which bands are normalised by.

    Raises:
        UsageError: The weights are not those of the network, or it cannot take the images.
    """
    path = settings.file()
    content = read_given(path)
    statistics = None
    if settings.mean is not None and settings.std is not None:
        statistics = Statistics(settings.mean, settings.std)
    tensors = tensors_from(content, origin=path)
    heads = {"classes": _classes(settings, tensors), "projector": settings.projector}
    network = bare.model_copy(update=heads)
    found = adopted(
        network,
        tensors,
        tag=settings.tag,
        statistics=statistics,
        origin=str(path),
        seed=settings.stream("initialisation"),
        bands=Bands(own, _colours(pack)) if pack.bands else None,
    )
    try:
        features_on(found.network, pack, np.arange(min(TRIED, len(pack.images))), size=network.size)
    except Exception as error:  # whatever a model's own code raises at a size that it cannot take
        raise UsageError(
            f"backbone: cannot take images of {network.size} x {network.size} pixels "
            f"({type(error).__name__}: {error}). Set `size`, or an option of the backbone such as "
            "`backbone.options.img_size`."
        ) from error
    return _Found(network, path, content, found)


def _colours(pack: Pack) -> tuple[int, int, int] | None:
    """Where red, green and blue are among the bands."""
    found = colours(pack.bands)
    if found is None:
        return None
    red, green, blue = map(pack.bands.index, found)
    return red, green, blue


def _classes(settings: AdoptSettings, tensors: Mapping[str, Tensor]) -> tuple[str, ...] | None:
    """The names of the classes of the file's classifier; None where it is left aside.

    Raises:
        UsageError: There is none, or timm has no names for its classes.
    """
    if settings.classes != "timm":
        return settings.classes
    assert isinstance(settings.backbone, TimmSettings)
    heads = settings.backbone.published(settings.tag).heads
    bias = tensors.get(f"{heads[0]}.bias") if len(heads) == 1 else None
    if bias is None:
        raise UsageError(
            f"{settings.weights}: has no single classifier {' or '.join(heads)}, whose classes "
            "`classes: timm` could name. Leave `classes` out, and finetune the run."
        )
    return settings.backbone.class_names(settings.tag, len(bias))


def _source(settings: AdoptSettings, found: _Found) -> dict[str, Any]:
    """Where the weights came from, for whoever asks later what they may be used for."""
    timm = settings.backbone if isinstance(settings.backbone, TimmSettings) else None
    published = timm.published(settings.tag) if timm and settings.tag else None
    return {
        "source": published.place if settings.weights == "timm" and published else found.path.name,
        "tag": settings.tag,
        "licence": published.licence if published else "",
        "sha256": sha256(found.content).hexdigest(),
        "bytes": len(found.content),
        "left_aside": list(found.adopted.left_aside),
        "imported": notes_of(found.content),
        "mean": list(found.adopted.mean),
        "std": list(found.adopted.std),
    }


def _told(source: dict[str, Any]) -> str:
    aside = source["left_aside"]
    left = f"; left aside {len(aside)} ({', '.join(aside)})" if aside else ""
    licence = f", licence {source['licence']}" if source["licence"] else ", licence not stated"
    return f"weights of {source['source']} ({source['sha256'][:12]}{licence}){left}"
