"""Train several peers together that learn from labels and from each other."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal, Self

import torch
from pydantic import Field, PositiveInt, model_validator

from understudy.core.errors import UsageError
from understudy.core.run import Run
from understudy.core.types import Shape
from understudy.data.pack import Pack
from understudy.data.views import Views, ViewSettings
from understudy.engine.plan import PlanSettings
from understudy.guidance.guide import unguided
from understudy.methods.mutual import Mutual
from understudy.models import AnyBackbone
from understudy.models.cifar_resnet import CifarResNetSettings
from understudy.models.ensemble import Ensemble, EnsembleNetworkSettings
from understudy.models.network import Network, NetworkSettings
from understudy.objectives import AnyObjective
from understudy.objectives.distill.soft_label import SoftLabelSettings
from understudy.objectives.label import LabelSettings, weights_in
from understudy.objectives.objective import Combined, combine
from understudy.stages.label_count import labels_read
from understudy.stages.material import (
    Indices,
    Material,
    Parts,
    TrainingSettings,
    images_of,
    material,
)
from understudy.stages.observers import PeersObserver
from understudy.stages.training import counted, train_method


class MutualSettings(TrainingSettings):
    """Train peers together that learn from labels and from each other (deep mutual learning).

    There is no teacher: each peer learns the labels and what the others answer. One of them, or
    their mean, is the network of the run.
    """

    stage: Literal["mutual"] = "mutual"
    peers: Annotated[tuple[AnyBackbone, ...], Field(min_length=2)] = (
        CifarResNetSettings(),
        CifarResNetSettings(),
    )
    """The networks; equal ones begin with different weights. The first begins as that of `train`
    with the same seed does."""
    keep: PositiveInt | Literal["mean"] = 1
    """Which peer the run's network is, counted from 1; or `mean`, the ensemble of all of them."""
    terms: tuple[AnyObjective, ...] = (
        LabelSettings(),
        SoftLabelSettings(temperature=1.0),  # the paper's sum, without a temperature
    )
    """Objectives to add up, for each peer with each other one as its teacher; they compare
    logits."""
    transfer: Parts = "labelled"
    """The images that are shown, by name or by several names, as in `distill`."""
    views: Views = (ViewSettings(),)
    """How each view of an image is made; all peers see the same one."""
    plan: PlanSettings = PlanSettings(epochs=30)

    @model_validator(mode="after")
    def _keeps_one_that_is_there(self) -> Self:
        if self.keep != "mean" and self.keep > len(self.peers):
            raise ValueError(
                f"keep: peer {self.keep} is asked for, but there are {len(self.peers)}; "
                "give a lower number, or `mean`"
            )
        return self


def mutual(settings: MutualSettings, pack: Pack, run: Run) -> dict[str, Any]:
    """Trains all peers, and keeps the one that was asked for, or their mean.

    Returns:
        The summary.
    """
    images = material(settings, pack, run)
    described = [images.classifier(backbone) for backbone in settings.peers]
    peers = [
        images.built(each, seed=settings.stream(_beginning(number)))
        for number, each in enumerate(described, start=1)
    ]
    settings_kept, kept = _kept(settings, described, peers, size=images.size)
    shown = images_of(settings.transfer, images.splits, images.labelled)
    objective = _objective(settings, images, shown)

    summary = train_method(
        settings,
        images,
        run,
        method=Mutual(peers, objective, network=kept),
        network=settings_kept,
        guide=unguided,
        images=shown,
        parts=settings.transfer,
        labels=images.allowed_labels() if objective.reads_labels else None,
        views=settings.views,
        plan=settings.plan.over(len(shown)),
        observe=PeersObserver(images, monitor=settings.plan.monitor, peers=peers),
    )
    labels = labels_read(
        run,
        pack,
        train=images.labelled if objective.reads_labels else images.labelled[:0],
        validation=images.validation,
        parents=(),
    )
    return {
        **summary,
        **weights_in(settings.terms, images.classes()),
        "peers": _told(settings, peers, summary["checkpoints"]["last"], images, run),
        "labels": labels,
        "parents": {},
    }


def _beginning(number: int) -> str:
    """The first peer begins as the network of `train` does, so that the two can be paired."""
    return "initialisation" if number == 1 else f"initialisation of peer {number}"


def _kept(
    settings: MutualSettings,
    described: Sequence[NetworkSettings],
    peers: Sequence[Network],
    *,
    size: int,
) -> tuple[NetworkSettings | EnsembleNetworkSettings, Network | Ensemble]:
    if settings.keep != "mean":
        return described[settings.keep - 1], peers[settings.keep - 1]
    together = EnsembleNetworkSettings(
        members=tuple(described),
        mean="probabilities",
        weights=(1.0,) * len(peers),
        size=size,
    )
    return together, together.of(peers)


def _objective(settings: MutualSettings, images: Material, shown: Indices) -> Combined:
    """One for all pairs of peers.

    Raises:
        UsageError: A term compares more than logits.
    """
    logits = Shape(pooled=0, stages=(), num_classes=len(images.pack.classes))
    try:
        return combine(
            settings.terms,
            student=logits,
            guidance=logits,
            images=torch.from_numpy(shown),
            seed=settings.stream("objectives"),
            classes=images.classes(),
        )
    except UsageError as error:
        raise UsageError(f"{error} Peers compare logits alone.") from error


def _told(
    settings: MutualSettings,
    peers: Sequence[Network],
    seen: dict[str, Any],
    images: Material,
    run: Run,
) -> list[dict[str, Any]]:
    """What every peer is, and what it answered on validation in the end."""
    told = [
        {
            "backbone": backbone.model_dump(mode="json"),
            "parameters": counted(peer),
            "val_top1": seen.get(f"val_peer{number}_top1"),
        }
        for number, (backbone, peer) in enumerate(zip(settings.peers, peers, strict=True), start=1)
    ]
    if len(images.validation) and seen.get("val_together_top1") is not None:
        shares = ", ".join(f"{one['val_top1']:.1%}" for one in told)
        raw = " as they learn, before averaging" if settings.plan.average else ""
        run.progress.say(
            f"{run.stage} {run.name}: peers{raw} {shares}; their mean "
            f"{seen['val_together_top1']:.1%} on {len(images.validation):,} validation images"
        )
    return told
