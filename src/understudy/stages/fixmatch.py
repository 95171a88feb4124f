"""Train a classifier on few labels and many images without: FixMatch, the pipeline's peer."""

from typing import Annotated, Any, Literal

import torch
from pydantic import NonNegativeFloat, PositiveInt

from understudy.core.run import Run
from understudy.core.settings import Added, RunPath
from understudy.data.pack import Pack
from understudy.data.views import Views, ViewSettings
from understudy.engine.plan import PlanSettings
from understudy.guidance.guide import unguided
from understudy.methods.fixmatch import FixMatch
from understudy.methods.threshold import Threshold, threshold_of
from understudy.models import AnyBackbone
from understudy.models.cifar_resnet import CifarResNetSettings
from understudy.models.network import Network, NetworkSettings
from understudy.objectives import AnyObjective
from understudy.objectives.label import LabelSettings, weights_in
from understudy.objectives.objective import combine
from understudy.stages.label_count import labels_read
from understudy.stages.material import (
    Indices,
    TaughtByLabelsSettings,
    classes_of,
    labelled_images,
    material,
    pool_of,
)
from understudy.stages.observers import ClassifierObserver
from understudy.stages.starting_from import backbone_of
from understudy.stages.training import (
    Beside,
    parent_identity,
    refuse_unfit,
    steps_of,
    train_method,
)


class FixmatchSettings(TaughtByLabelsSettings):
    """Train a classifier on the labeled images, and on what it is sure of in all the others.

    FixMatch (Sohn et al. 2020): where the answer to a weak view of an image is sure, it becomes the
    label of a strong view. It reads the labels that `train` reads, and sees the images that a
    pretraining and a distillation see.
    """

    stage: Literal["fixmatch"] = "fixmatch"
    backbone: AnyBackbone = CifarResNetSettings()
    """The network."""
    start: Annotated[RunPath | None, Added()] = None
    """Run whose last backbone the network starts from, such as a pretraining; it must be the
    network's. By default the network begins freshly initialised."""
    terms: tuple[AnyObjective, ...] = (LabelSettings(),)
    """What is learned from labels; each carries its own weight."""
    views: Views = (ViewSettings(), ViewSettings())
    """How the weak view of each image is made, and how the strong one."""
    threshold: Threshold = 0.95  # the paper's
    """The least probability of an answer from which is learned; a number, or `{momentum: 0.999}`:
    as sure as answers are by now, and less for classes that are seldom named, as in FreeMatch."""
    unlabeled_ratio: PositiveInt = 7  # mu of the paper
    """Images without label in a step, for each of the `plan.batch_size` labeled ones."""
    weight: NonNegativeFloat = 1.0  # lambda of the paper
    """Of what is learned from answers, beside what is learned from labels."""
    plan: PlanSettings = PlanSettings(epochs=30)

    def must_fit(self, pack: Pack) -> None:
        """Looks whether views, batch and images go together."""
        super().must_fit(pack)
        splits, labelled, _ = labelled_images(self, pack)
        channels, size = int(pack.images.shape[1]), self.size or int(pack.images.shape[-1])
        network = NetworkSettings(
            backbone=self.backbone, channels=channels, size=size, classes=pack.classes
        ).empty()
        refuse_unfit(
            self.views,
            self.method(network, pack, labelled),
            channels=channels,
            size=size,
            batch=self.plan.batch_size,
            images=len(pool_of(splits)),
        )

    def method(self, network: Network, pack: Pack, labelled: Indices) -> FixMatch:
        """What learns.

        Raises:
            UsageError: A term needs what the network does not have, or a teacher.
        """
        objective = combine(
            self.terms,
            student=network.shape,
            guidance=None,
            images=torch.from_numpy(labelled),
            seed=self.stream("objectives"),
            classes=classes_of(pack, labelled),
        )
        return FixMatch(
            network,
            objective,
            labelled=self.plan.batch_size,
            threshold=threshold_of(self.threshold, len(pack.classes)),
            weight=self.weight,
        )


def fixmatch(settings: FixmatchSettings, pack: Pack, run: Run) -> dict[str, Any]:
    """Trains a classifier on the labelled images and on the pool.

    Returns:
        The summary.
    """
    images = material(settings, pack, run)
    network = images.classifier(settings.backbone, settings.head)
    student = images.built(network, seed=settings.stream("initialisation"))
    if settings.start is not None:
        student.take_backbone(
            backbone_of(settings.start, settings.backbone, pack, setting="backbone")
        )

    summary = train_method(
        settings,
        images,
        run,
        method=settings.method(student, pack, images.labelled),
        network=network,
        guide=unguided,
        images=images.labelled,
        labels=images.allowed_labels(),
        views=settings.views,
        plan=settings.plan.over(settings.counted(images)),
        observe=ClassifierObserver(images, monitor=settings.plan.monitor),
        beside=Beside(images.pool, each=settings.unlabeled_ratio),
    )
    labels = labels_read(
        run,
        pack,
        train=images.labelled,
        validation=images.validation,
        parents=[] if settings.start is None else [settings.start],
    )
    weights = weights_in(settings.terms, images.classes())
    told = {"unlabeled": len(images.pool), "labels": labels, "parents": {}}
    if settings.start is not None:
        told["parents"] = {"start": parent_identity(settings.start)}
        told["steps_before"] = steps_of(settings.start, "last")
    return {**summary, **weights, **told}
