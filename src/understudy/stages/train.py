"""Train a classifier from scratch on the labels alone: the baseline, or a supervised teacher."""

from typing import Any, Literal

import torch

from understudy.core.run import Run
from understudy.data.pack import Pack
from understudy.data.views import Views, ViewSettings
from understudy.engine.plan import PlanSettings
from understudy.guidance.guide import unguided
from understudy.methods.supervised import Supervised
from understudy.models import AnyBackbone
from understudy.models.cifar_resnet import CifarResNetSettings
from understudy.objectives import AnyObjective
from understudy.objectives.label import LabelSettings, weights_in
from understudy.objectives.objective import combine
from understudy.stages.label_count import labels_read
from understudy.stages.material import TaughtByLabelsSettings, material
from understudy.stages.observers import ClassifierObserver
from understudy.stages.training import train_method


class TrainSettings(TaughtByLabelsSettings):
    """Train a classifier from scratch on the labeled images alone."""

    stage: Literal["train"] = "train"
    backbone: AnyBackbone = CifarResNetSettings()
    """The network."""
    terms: tuple[AnyObjective, ...] = (LabelSettings(),)
    """Objectives to add up; each carries its own weight."""
    views: Views = (ViewSettings(),)
    """How each view of an image is made; one view is usual here."""
    plan: PlanSettings = PlanSettings(epochs=30)


def train(settings: TrainSettings, pack: Pack, run: Run) -> dict[str, Any]:
    """Trains a classifier on the labelled images.

    Returns:
        The summary.
    """
    images = material(settings, pack, run)
    network = images.classifier(settings.backbone, settings.head)
    student = images.built(network, seed=settings.stream("initialisation"))
    objective = combine(
        settings.terms,
        student=student.shape,
        guidance=None,
        images=torch.from_numpy(images.labelled),
        seed=settings.stream("objectives"),
        classes=images.classes(),
    )

    summary = train_method(
        settings,
        images,
        run,
        method=Supervised(student, objective),
        network=network,
        guide=unguided,
        images=images.labelled,
        labels=images.allowed_labels(),
        views=settings.views,
        plan=settings.plan.over(settings.counted(images)),
        observe=ClassifierObserver(images, monitor=settings.plan.monitor),
    )
    labels = labels_read(run, pack, train=images.labelled, validation=images.validation, parents=())
    weights = weights_in(settings.terms, images.classes())
    return {**summary, **weights, "labels": labels, "parents": {}}
