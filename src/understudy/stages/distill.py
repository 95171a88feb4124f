"""Distill a finished teacher into a small student, on images whose labels are not read."""

from typing import Any, Literal

import torch

from understudy.core.run import Run
from understudy.core.settings import RunPath
from understudy.data.pack import Pack
from understudy.data.views import ViewSettings
from understudy.engine.plan import PlanSettings
from understudy.guidance.teacher import Teacher
from understudy.methods.distilled import Distilled
from understudy.models import AnyBackbone
from understudy.models.cifar_resnet import CifarResNetSettings
from understudy.models.frozen import Frozen
from understudy.objectives import AnyObjective
from understudy.objectives.distill.soft_label import SoftLabelSettings
from understudy.objectives.objective import combine
from understudy.stages.label_count import labels_read
from understudy.stages.material import TrainingSettings, material
from understudy.stages.observers import ClassifierObserver
from understudy.stages.restore import Slot, classifier, must_fit
from understudy.stages.training import parent_identity, train_method


class DistillSettings(TrainingSettings):
    """Distill a finished teacher into a small student.

    Where no objective reads labels, none is read for training; the validation labels that
    `labels` allows choose the best checkpoint, and count.
    """

    stage: Literal["distill"] = "distill"
    teacher: RunPath
    """Run of a finished training that holds a classifier."""
    checkpoint: Slot = "best"
    """Which of its checkpoints teaches."""
    student: AnyBackbone = CifarResNetSettings()
    """The network that learns."""
    transfer: Literal["pool", "labelled"] = "pool"
    """The images that the teacher answers: all training and unlabeled ones, or the labeled ones."""
    terms: tuple[AnyObjective, ...] = (SoftLabelSettings(),)
    """Objectives to add up; each carries its own weight."""
    views: tuple[ViewSettings, ...] = (ViewSettings(),)
    """How each view of an image is made; teacher and student see the same pixels."""
    plan: PlanSettings = PlanSettings(epochs=30)


def distill(settings: DistillSettings, pack: Pack, run: Run) -> dict[str, Any]:
    """Trains a small student to answer like a finished teacher.

    Returns:
        The summary.
    """
    images = material(settings, pack, run)
    teacher = classifier(settings.teacher, settings.checkpoint)
    must_fit(teacher, pack, settings.teacher)
    network = images.classifier(settings.student)
    student = images.built(network, seed=settings.stream("initialisation"))
    transfer = images.pool if settings.transfer == "pool" else images.labelled
    objective = combine(
        settings.terms,
        student=student.shape,
        guidance=teacher.network.shape,
        images=torch.from_numpy(transfer),
        seed=settings.stream("objectives"),
    )

    summary = train_method(
        settings,
        images,
        run,
        method=Distilled(student, objective),
        network=network,
        guide=Teacher(Frozen(teacher.network), taps=objective.guidance_taps),
        images=transfer,
        labels=images.allowed_labels() if objective.reads_labels else None,
        views=settings.views,
        plan=settings.plan.over(len(transfer)),
        observe=ClassifierObserver(images, monitor=settings.plan.monitor),
    )
    labels = labels_read(
        run,
        pack,
        train=images.labelled if objective.reads_labels else images.labelled[:0],
        validation=images.validation,
        parents=[settings.teacher],
    )
    parents = {"teacher": {**parent_identity(settings.teacher), "checkpoint": teacher.slot}}
    return {**summary, "labels": labels, "parents": parents}
