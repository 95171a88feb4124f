"""Distill a finished teacher into a small student, on images whose labels are not read."""

from typing import Any, Literal, Self

import torch
from pydantic import TypeAdapter, model_validator

from understudy.core.run import Run
from understudy.core.seeds import derived_seed
from understudy.core.settings import RunPath
from understudy.core.types import Shape
from understudy.data.pack import Pack
from understudy.data.views import ViewSettings
from understudy.engine.plan import PlanSettings
from understudy.guidance.bank import BankSettings
from understudy.guidance.guide import Guide
from understudy.guidance.teacher import Teacher
from understudy.methods import AnyDistillation, DistilledSettings
from understudy.methods.distilled import DistillationSettings, Distilled
from understudy.models import AnyBackbone
from understudy.models.cifar_resnet import CifarResNetSettings
from understudy.models.frozen import Frozen
from understudy.objectives import AnyObjective
from understudy.objectives.distill.soft_label import SoftLabelSettings
from understudy.objectives.objective import combine
from understudy.stages.banking import stored
from understudy.stages.label_count import labels_read
from understudy.stages.material import VIEWS, TrainingSettings, material
from understudy.stages.observers import ClassifierObserver
from understudy.stages.restore import Slot, classes_by_name, classifier, must_fit
from understudy.stages.training import parent_identity, refuse_unfit, train_method

METHODS: TypeAdapter[DistillationSettings] = TypeAdapter(AnyDistillation)


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
    teacher_classes: Literal["equal", "by_name"] = "equal"
    """Whether the teacher's classes must be those of the data, in their order, or are looked up
    among its classes by name; what it says of others is then left out."""
    student: AnyBackbone = CifarResNetSettings()
    """The network that learns."""
    transfer: Literal["pool", "labelled"] = "pool"
    """The images that the teacher answers: all training and unlabeled ones, or the labeled ones."""
    method: AnyDistillation = DistilledSettings()
    """`distilled`, or another way to learn from the teacher than by comparing outputs."""
    terms: tuple[AnyObjective, ...] = (SoftLabelSettings(),)
    """Objectives to add up; each carries its own weight. None by default where the method brings
    its own."""
    views: tuple[ViewSettings, ...] = (ViewSettings(),)
    """How each view of an image is made; the teacher sees the same one, at its own size."""
    bank: BankSettings | None = None
    """Stored answers of the teacher, shared by all students of the same views; none: the teacher
    answers in the loop. Serves objectives that read logits."""
    plan: PlanSettings = PlanSettings(epochs=30)

    @model_validator(mode="before")
    @classmethod
    def _terms_of_the_method(cls, values: Any) -> Any:
        """Writes out that there are no terms, so that the settings say what is computed."""
        if not isinstance(values, dict) or "terms" in values or "method" not in values:
            return values
        try:
            method = METHODS.validate_python(values["method"])
        except ValueError:
            return values  # a mistake that is told elsewhere
        return {**values, "terms": ()} if method.own_terms() else values

    @model_validator(mode="after")
    def _answers_that_are_stored(self) -> Self:
        if self.bank is not None and self.method.reads_features:
            raise ValueError(
                f"bank: stores logits alone, and method={self.method.kind} compares features; take "
                "one of them out"
            )
        return self

    @model_validator(mode="after")
    def _views_come_round(self) -> Self:
        if self.bank is not None and self.bank.views % len(self.views):
            raise ValueError(
                f"bank.views: {self.bank.views} views come round in turn, which {len(self.views)} "
                "different `views` do not divide; give a multiple"
            )
        return self

    def stream(self, purpose: str) -> int:
        """The seed of one purpose; views that a bank is asked for by number follow that number."""
        if purpose == VIEWS and self.bank is not None and self.bank.seed is not None:
            return derived_seed(self.bank.seed, purpose)
        return super().stream(purpose)


def distill(settings: DistillSettings, pack: Pack, run: Run) -> dict[str, Any]:
    """Trains a small student to answer like a finished teacher.

    Returns:
        The summary.
    """
    images = material(settings, pack, run)
    teacher = classifier(settings.teacher, settings.checkpoint)
    columns = None
    if settings.teacher_classes == "by_name":
        columns = classes_by_name(teacher, pack, settings.teacher)
    else:
        advice = "Set `teacher_classes=by_name` to look the data's up among them."
        must_fit(teacher, pack, settings.teacher, advice=advice)
    network = settings.method.network(
        images.classifier(settings.student), teacher.network, size=teacher.settings.size
    )
    answers = teacher.network.shape if settings.bank is None else Shape(pooled=0, stages=())
    student = settings.method.begun(
        images.built(network, seed=settings.stream("initialisation")),
        teacher.network,
        classes=columns,
    )
    transfer = images.pool if settings.transfer == "pool" else images.labelled
    objective = combine(
        (*settings.method.own_terms(), *settings.terms),
        student=student.shape,
        guidance=answers._replace(num_classes=len(pack.classes)),
        images=torch.from_numpy(transfer),
        seed=settings.stream("objectives"),
    )

    in_loop = Teacher(
        Frozen(teacher.network),
        taps=objective.guidance_taps,
        size=teacher.settings.size,
        classes=columns,
        name=f"teacher {settings.teacher}, checkpoint {teacher.slot}",
    )
    guide: Guide = in_loop
    method = Distilled(student, objective)
    if settings.bank is not None:
        refuse_unfit(settings.views, method, images)  # before the teacher is asked
        settings.machine.use_threads()
        guide = stored(
            in_loop,
            teacher,
            settings,
            plan=settings.views,
            bank=settings.bank,
            images=images,
            transfer=transfer,
            run=run,
        )

    summary = train_method(
        settings,
        images,
        run,
        method=method,
        network=network,
        guide=guide,
        ring=None if settings.bank is None else settings.bank.views,
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
