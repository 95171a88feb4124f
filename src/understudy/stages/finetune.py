"""Fine-tune a pretrained backbone into a classifier on the few labels: the teacher."""

from typing import Any, Literal, Self

import torch
from pydantic import NonNegativeInt, model_validator
from torch import nn

from understudy.core.errors import UsageError
from understudy.core.run import Run
from understudy.core.settings import RunPath
from understudy.data.pack import Pack
from understudy.data.views import Views, ViewSettings
from understudy.engine.plan import PlanSettings
from understudy.guidance.guide import unguided
from understudy.methods.supervised import Supervised
from understudy.models.heads import HiddenSettings, Projector
from understudy.models.network import Network, NetworkSettings
from understudy.objectives import AnyObjective
from understudy.objectives.label import LabelSettings, weights_in
from understudy.objectives.objective import combine
from understudy.stages.label_count import labels_read
from understudy.stages.material import Material, TaughtByLabelsSettings, material
from understudy.stages.observers import ClassifierObserver
from understudy.stages.restore import Restored, Slot, one_network, restored, same_channels
from understudy.stages.starting_from import StartedSettings
from understudy.stages.training import parent_identity, refuse_unfit, steps_of, train_method

LEFT = ("neck", "hidden", "dense")
"""What a run may have between backbone and classifier, of which nothing is taken over."""


class FinetuneSettings(TaughtByLabelsSettings, StartedSettings):
    """Fine-tune a pretrained backbone into a classifier on the labeled images."""

    stage: Literal["finetune"] = "finetune"
    start: RunPath
    """Run of a finished pretraining (or of any training whose backbone should be taken over)."""
    checkpoint: Slot = "last"
    """Which of its checkpoints; a pretraining has no labels to call one the best."""
    frozen: bool = False  # here it was from the beginning, and always counts
    """Whether the backbone keeps its weights and statistics, so that only the head learns."""
    from_projector: NonNegativeInt = 0
    """How many of the projector's first layers stay between backbone and classifier; 1 in SimCLR v2
    where labels are few, 0: none."""
    zero_classifier: bool = False
    """Whether the classifier begins at zero, as in SimCLR v2; else drawn at random."""
    terms: tuple[AnyObjective, ...] = (LabelSettings(),)
    """Objectives to add up; each carries its own weight."""
    views: Views = (ViewSettings(),)
    """How each view of an image is made."""
    plan: PlanSettings = PlanSettings(epochs=60, patience=5)

    @model_validator(mode="after")
    def _views_come_round(self) -> Self:
        self.must_come_round(len(self.views))
        return self

    def must_fit(self, pack: Pack) -> None:
        """Looks also whether the images have what the views change."""
        super().must_fit(pack)
        refuse_unfit(
            self.views,
            channels=int(pack.images.shape[1]),
            size=self.size or int(pack.images.shape[-1]),
            batch=self.plan.batch_size,
            images=len(pack.images),  # nobody asks: what learns is not there yet
        )


def finetune(settings: FinetuneSettings, pack: Pack, run: Run) -> dict[str, Any]:
    """Trains a classifier that starts from a pretrained backbone.

    Returns:
        The summary.
    """
    images = material(settings, pack, run)
    start = restored(settings.start, settings.checkpoint)
    network, learner = _classifier_from(start, images, settings)
    if any(getattr(start.network, part, None) is not None for part in LEFT):
        run.progress.say(
            f"{run.stage} {run.name}: {settings.start} has layers between its backbone and its "
            "classifier; both are left aside, its backbone goes on"
        )
    objective = combine(
        settings.terms,
        student=learner.shape,
        guidance=None,
        images=torch.from_numpy(images.labelled),
        seed=settings.stream("objectives"),
        classes=images.classes(),
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
        plan=settings.plan.over(settings.counted(images)),
        observe=ClassifierObserver(images, monitor=settings.plan.monitor),
        stored_views=settings.stored_views,
    )
    parents = {"start": parent_identity(settings.start)}
    labels = labels_read(
        run, pack, train=images.labelled, validation=images.validation, parents=[settings.start]
    )
    before = steps_of(settings.start, start.slot)
    weights = weights_in(settings.terms, images.classes())
    told = {"labels": labels, "parents": parents, "steps_before": before}
    return {**summary, **weights, **told}


def _classifier_from(
    start: Restored, images: Material, settings: FinetuneSettings
) -> tuple[NetworkSettings, Network]:
    """A network with the backbone of `start`, its input statistics, and a fresh classifier.

    Raises:
        DataError: The images have another number of channels than it was trained on.
        UsageError: It is an ensemble, has no such projector, or not so many stages.
    """
    same_channels(start, images.pack, settings.start)
    pretrained, known = one_network(start, settings.start)
    network = images.classifier(known.backbone, settings.head)
    if settings.from_projector:
        network = network.model_copy(update={"hidden": _first_layers(known, settings)})
    learner = images.built(network, seed=settings.stream("initialisation"))
    learner.take_backbone(pretrained)
    if learner.hidden is not None and isinstance(pretrained.projector, Projector):
        learner.hidden.take(pretrained.projector)
    if settings.zero_classifier:
        for weight in learner.classifier.parameters():
            nn.init.zeros_(weight)
    return network, settings.stilled(learner)


def _first_layers(start: NetworkSettings, settings: FinetuneSettings) -> HiddenSettings:
    """What is kept of the projector.

    Raises:
        UsageError: There is none, or it has not so many layers.
    """
    if start.projector is None:
        raise UsageError(
            f"from_projector = {settings.from_projector}: {settings.start} has no projector. Start "
            "from a run of `pretrain`, or set `from_projector` to 0."
        )
    return HiddenSettings.first_of(start.projector, layers=settings.from_projector)
