"""Fine-tune a pretrained backbone into a classifier on the few labels: the teacher."""

from typing import Any, Literal

import torch

from understudy.core.run import Run
from understudy.core.settings import RunPath
from understudy.data.pack import Pack
from understudy.data.views import ViewSettings
from understudy.engine.plan import PlanSettings
from understudy.guidance.guide import unguided
from understudy.methods.supervised import Supervised
from understudy.models.network import Network, NetworkSettings
from understudy.objectives import AnyObjective
from understudy.objectives.label import LabelSettings
from understudy.objectives.objective import combine
from understudy.stages.label_count import labels_read
from understudy.stages.material import Material, TrainingSettings, material
from understudy.stages.observers import ClassifierObserver
from understudy.stages.restore import Restored, Slot, one_network, restored, same_channels
from understudy.stages.training import parent_identity, train_method


class FinetuneSettings(TrainingSettings):
    """Fine-tune a pretrained backbone into a classifier on the labeled images."""

    stage: Literal["finetune"] = "finetune"
    start: RunPath
    """Run of a finished pretraining (or of any training whose backbone should be taken over)."""
    checkpoint: Slot = "last"
    """Which of its checkpoints; a pretraining has no labels to call one the best."""
    frozen: bool = False
    """Whether the backbone keeps its weights, so that only the classifier learns."""
    terms: tuple[AnyObjective, ...] = (LabelSettings(),)
    """Objectives to add up; each carries its own weight."""
    views: tuple[ViewSettings, ...] = (ViewSettings(),)
    """How each view of an image is made."""
    plan: PlanSettings = PlanSettings(epochs=60, patience=5)


def finetune(settings: FinetuneSettings, pack: Pack, run: Run) -> dict[str, Any]:
    """Trains a classifier that starts from a pretrained backbone.

    Returns:
        The summary.
    """
    images = material(settings, pack, run)
    start = restored(settings.start, settings.checkpoint)
    network, learner = _classifier_from(start, images, settings)
    if getattr(start.network, "neck", None) is not None:
        run.progress.say(
            f"{run.stage} {run.name}: {settings.start} leads to its teacher's classifier; that and "
            "the layers before it are left aside, its backbone goes on"
        )
    objective = combine(
        settings.terms,
        student=learner.shape,
        guidance=None,
        images=torch.from_numpy(images.labelled),
        seed=settings.stream("objectives"),
    )

    summary = train_method(
        settings,
        images,
        run,
        method=Supervised(learner, objective),
        network=network,
        guide=unguided,
        images=images.labelled,
        labels=images.allowed_labels(),
        views=settings.views,
        plan=settings.plan.over(len(images.labelled)),
        observe=ClassifierObserver(images, monitor=settings.plan.monitor),
    )
    parents = {"start": parent_identity(settings.start)}
    labels = labels_read(
        run, pack, train=images.labelled, validation=images.validation, parents=[settings.start]
    )
    return {**summary, "labels": labels, "parents": parents}


def _classifier_from(
    start: Restored, images: Material, settings: FinetuneSettings
) -> tuple[NetworkSettings, Network]:
    """A network with the backbone of `start`, its input statistics, and a fresh classifier.

    Raises:
        DataError: The images have another number of channels than it was trained on.
        UsageError: It is an ensemble.
    """
    same_channels(start, images.pack, settings.start)
    pretrained, known = one_network(start, settings.start)
    network = images.classifier(known.backbone)
    learner = images.built(network, seed=settings.stream("initialisation"))
    learner.take_backbone(pretrained)
    if settings.frozen:
        learner.freeze_backbone()
    return network, learner
