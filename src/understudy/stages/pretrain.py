"""Pretrain a backbone on all training images, without a label."""

from typing import Annotated, Any, ClassVar, Literal

import torch

from understudy.core.run import Run
from understudy.core.settings import Added, Aside
from understudy.data.labels import FewLabelsSettings
from understudy.data.pack import Pack
from understudy.data.views import Views, ViewSettings
from understudy.engine.plan import PlanSettings
from understudy.guidance.guide import unguided
from understudy.methods import AnySelfSupervised, SimclrSettings
from understudy.methods.method import Method
from understudy.models import AnyBackbone
from understudy.models.cifar_resnet import CifarResNetSettings
from understudy.models.network import Network, NetworkSettings
from understudy.stages.collapsing import last_words
from understudy.stages.label_count import labels_read
from understudy.stages.material import (
    VIEWS,
    Indices,
    Parts,
    TrainingSettings,
    images_of,
    labelled_images,
    material,
)
from understudy.stages.observers import FeatureObserver
from understudy.stages.training import refuse_unfit, train_method


class PretrainSettings(TrainingSettings):
    """Pretrain a backbone on all training images without labels.

    The labels that `labels` allows are read by the probes alone, which watch the training.
    They change no weight and no identity, so one pretraining serves every number of labels.
    """

    chooses: ClassVar[bool] = False
    needs_classes: ClassVar[bool] = False
    stage: Literal["pretrain"] = "pretrain"
    labels: Annotated[FewLabelsSettings, Aside()] = FewLabelsSettings()
    """What the probes know that watch; changes no identity."""
    backbone: AnyBackbone = CifarResNetSettings()
    """The network."""
    method: AnySelfSupervised = SimclrSettings()
    """How it learns without labels."""
    images: Annotated[Parts, Added()] = "pool"
    """The images that it learns from, by name or by several names, as `transfer` in `distill`."""
    views: Views = (ViewSettings(), ViewSettings())
    """How each view of an image is made."""
    plan: PlanSettings = PlanSettings(epochs=100, batch_size=256)

    def must_fit(self, pack: Pack) -> None:
        """Looks whether method, views, batch and images go together."""
        super().must_fit(pack)
        channels = int(pack.images.shape[1])
        size = self.size or int(pack.images.shape[-1])
        splits, labelled, _ = labelled_images(self, pack)
        pool = images_of(self.images, splits, labelled)
        network = NetworkSettings(
            backbone=self.backbone,
            channels=channels,
            bands=pack.bands,
            depth=pack.depth,
            size=size,
            classes=None,
            projector=self.method.projector,
        )
        refuse_unfit(
            self.views,
            _method(self, network.empty(), pool),
            channels=channels,
            size=size,
            batch=self.plan.batch_size,
            images=len(pool),
        )


def pretrain(settings: PretrainSettings, pack: Pack, run: Run) -> dict[str, Any]:
    """Trains a backbone on the pool.

    Returns:
        The summary.
    """
    images = material(settings, pack, run)
    shown = images_of(settings.images, images.splits, images.labelled)
    network = images.learner(settings.backbone, settings.method.projector)
    learner = images.built(network, seed=settings.stream("initialisation"))

    crowded = _crowded(settings, shown)
    for sentence in crowded:
        run.progress.warn(f"{run.stage} {run.name}: {sentence}")
    method = _method(settings, learner, shown)
    plan = settings.plan.over(len(shown))
    observer = FeatureObserver(
        images,
        run,
        views=settings.views,
        seed=settings.stream(VIEWS),
        objective=method.objective,
        steps=plan.steps,
    )
    summary = train_method(
        settings,
        images,
        run,
        method=method,
        network=network,
        guide=unguided,
        images=shown,
        parts=settings.images,
        labels=None,
        views=settings.views,
        plan=plan,
        observe=observer,
    )
    none = images.labelled[:0]
    labels = labels_read(run, pack, train=none, validation=none, parents=())
    watched = {"split": observer.watched_split, "images": len(observer.watched)}
    return {
        **summary,
        "notes": [*summary["notes"], *crowded, *last_words(run)],
        "watched": watched,
        "labels": labels,
        "parents": {},
    }


def _crowded(settings: PretrainSettings, pool: Indices) -> list[str]:
    """A sentence where batches are larger than the pool: small folders are still served."""
    batch = settings.plan.batch_size
    if batch <= len(pool):
        return []
    return [
        f"`plan.batch_size` is {batch}, but there are {len(pool):,} images to learn from: a batch "
        "holds some of them more than once, which a contrastive objective takes for different "
        f"ones. At most {len(pool):,} would not."
    ]


def _method(settings: PretrainSettings, network: Network, pool: Indices) -> Method:
    return settings.method.build(
        network, images=torch.from_numpy(pool), seed=settings.stream("objectives")
    )
