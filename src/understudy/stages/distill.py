"""Distill a finished teacher into a small student, on images whose labels are not read."""

from contextlib import suppress
from typing import Any, Literal, Self

import torch
from pydantic import TypeAdapter, model_validator

from understudy.core.errors import UsageError
from understudy.core.run import Run
from understudy.core.seeds import derived_seed
from understudy.core.settings import RunPath
from understudy.core.types import Shape, Tap
from understudy.data.pack import Pack
from understudy.data.views import Views, ViewSettings
from understudy.engine.plan import PlanSettings
from understudy.guidance.bank import BankSettings
from understudy.guidance.guide import Guide
from understudy.methods import AnyDistillation, DistilledSettings
from understudy.methods.distilled import DistillationSettings, Distilled
from understudy.models import AnyBackbone
from understudy.models.cifar_resnet import CifarResNetSettings
from understudy.models.network import Network, NetworkSettings
from understudy.objectives import AnyObjective
from understudy.objectives.distill.soft_label import SoftLabelSettings
from understudy.objectives.label import weights_in
from understudy.objectives.objective import Combined, combine
from understudy.stages.answers import AnswersSettings, answers_to
from understudy.stages.banking import stored
from understudy.stages.collapsing import last_words
from understudy.stages.label_count import labels_read
from understudy.stages.material import (
    VIEWS,
    ClassifyingSettings,
    Indices,
    Material,
    Parts,
    classes_of,
    images_of,
    labelled_images,
    material,
)
from understudy.stages.observers import ClassifierObserver, FeatureObserver
from understudy.stages.restore import Slot
from understudy.stages.sources import (
    FileSource,
    RunSource,
    TeacherClasses,
    file_source,
    run_source,
    stored_of,
)
from understudy.stages.starting_from import StartedSettings, backbone_of
from understudy.stages.training import parent_identity, refuse_unfit, steps_of, train_method

ANY = Shape(pooled=1, stages=(), num_classes=10, projected=1)  # of two, some see no order
METHODS: TypeAdapter[DistillationSettings] = TypeAdapter(AnyDistillation)


class DistillSettings(ClassifyingSettings, StartedSettings):
    """Distill a finished teacher into a small student.

    Where no objective reads labels, none is read for training; the validation labels that
    `labels` allows choose the best checkpoint, and count. Where no objective reads the student's
    logits, as `regression` and `queue` do not, it has no classifier: `finetune start=` goes on
    from it, and labels are read by the k-NN probe alone, which watches and chooses nothing.
    """

    stage: Literal["distill"] = "distill"
    teacher: RunPath | None = None
    """Run of a finished training, also of `pretrain` or `adopt` where no objective reads the
    teacher's logits; or give `answers`."""
    checkpoint: Slot = "best"
    """Which of its checkpoints teaches."""
    teacher_classes: TeacherClasses = "equal"
    """Whether the teacher's classes must be those of the data, in their order, or are looked up
    among its classes by name; what it says of others is then left out."""
    student: AnyBackbone = CifarResNetSettings()
    """The network that learns."""
    start: RunPath | None = None
    """Run whose last backbone the student starts from, such as a distillation of features; it must
    be the student's. By default the student begins freshly initialised."""
    transfer: Parts = "pool"
    """The images that the teacher answers, by name or by several names: `pool` (train and
    unlabeled), `labelled`, `train`, `unlabeled`, `validation`, `test`. Figures on test images that
    a student learned from are marked wherever they stand."""
    method: AnyDistillation = DistilledSettings()
    """`distilled`, or another way to learn from the teacher than by comparing outputs."""
    terms: tuple[AnyObjective, ...] = (SoftLabelSettings(),)
    """Objectives to add up; each carries its own weight. None by default where the method brings
    its own."""
    views: Views = (ViewSettings(),)
    """How each view of an image is made; the teacher sees the same one, at its own size."""
    answers: AnswersSettings | None = None
    """Answers that somebody stored, where no teacher is at hand; they are to images as they lie
    there, and serve objectives that read logits."""
    bank: BankSettings | None = None
    """Stored answers of the teacher, shared by all students of the same views; none: the teacher
    answers in the loop. Serves objectives that read logits, pooled or projected features."""
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
    def _is_taught(self) -> Self:
        if (self.teacher is None) == (self.answers is None):
            raise ValueError(
                "teacher: missing; name a finished run, or give `answers.file`"
                if self.teacher is None
                else "answers: stand in the place of a teacher; take `teacher` or `answers` out"
            )
        return self

    @model_validator(mode="after")
    def _freezes_what_was_learned(self) -> Self:
        if self.frozen and self.start is None:
            raise ValueError(
                "frozen: this student's backbone begins with weights that were drawn; name the run "
                "in `start` whose backbone it is, such as one of `adopt`, or take `frozen` out"
            )
        return self

    @model_validator(mode="after")
    def _head_of_its_own(self) -> Self:
        if self.head.is_linear:
            return self
        if self.method.brings_classifier:
            raise ValueError(
                f"head: method.kind={self.method.kind} brings the teacher's classifier, which has "
                "none of these layers; take one of them out"
            )
        if not self.is_scored:
            raise ValueError(
                "head: no objective reads this student's logits, so it has no classifier; add such "
                "a term, or take `head` out"
            )
        return self

    @model_validator(mode="after")
    def _answers_that_are_stored(self) -> Self:
        stored = "bank" if self.bank else "answers" if self.answers else ""
        if stored and self.method.reads_features:
            raise ValueError(
                f"{stored}: holds no maps of stages, and method.kind={self.method.kind} compares "
                "them; take one of them out"
            )
        if self.bank and self.answers:
            raise ValueError("bank: stores the answers of a run; `answers` are stored already")
        return self

    @model_validator(mode="after")
    def _views_come_round(self) -> Self:
        if self.bank is not None and self.bank.views % len(self.views):
            raise ValueError(
                f"bank.views: {self.bank.views} views come round in turn, which {len(self.views)} "
                "different `views` do not divide; give a multiple"
            )
        return self

    @model_validator(mode="after")
    def _stored_with_answers_that_are(self) -> Self:
        self.must_come_round(len(self.views))
        if self.stored_views is None or self.answers is not None:
            return self
        if self.bank is None or self.bank.views != self.stored_views:
            raise ValueError(
                f"stored_views: the student's features of {self.stored_views} views are stored, "
                "but the teacher answers in the loop or to other views; set "
                f"`bank.views: {self.stored_views}`, so that its answers to them are stored, too"
            )
        return self

    @property
    def is_scored(self) -> bool:
        """Whether it has a classifier: some objective reads its logits, or the method brings one.

        Objectives are asked for small networks without stages; what cannot be built for such reads
        no logits.
        """
        return self.method.brings_classifier or any(
            Tap.LOGITS in _taps(term) for term in self.terms
        )

    def stream(self, purpose: str) -> int:
        """The seed of one purpose; views that a bank is asked for by number follow that number."""
        if purpose == VIEWS and self.bank is not None and self.bank.seed is not None:
            return derived_seed(
                self.bank.seed, "views of a bank"
            )  # no run's own, whatever its seed
        return super().stream(purpose)

    def must_be_at_hand(self) -> None:
        """Looks for the images, and for stored answers."""
        super().must_be_at_hand()
        if self.answers is not None and not self.answers.file.is_file():
            raise UsageError(f"answers.file = {self.answers.file}: no such file.")

    def must_fit(self, pack: Pack) -> None:
        """Looks also at views and batch, and whether stored answers are to these images."""
        super().must_fit(pack)
        splits, labelled, _ = labelled_images(self, pack)
        shown = images_of(self.transfer, splits, labelled)
        self._must_learn(pack, shown, labelled)
        if self.answers is not None:
            answers_to(self.answers, pack, shown, by_name=self.teacher_classes == "by_name")

    def _must_learn(self, pack: Pack, shown: Indices, labelled: Indices) -> None:
        """Refuses views, batches and queues that cannot be, before there is a teacher.

        One of the student's own shape stands in for it: what terms object to in a batch does not
        depend on its widths. Terms that cannot be built for such a one are judged when it is there.

        Raises:
            UsageError: Some cannot be.
        """
        channels = int(pack.images.shape[1])
        size = self.size or int(pack.images.shape[-1])
        network = NetworkSettings(
            backbone=self.student, channels=channels, size=size, classes=pack.classes
        ).empty()
        teacher = network.shape._replace(projected=network.shape.pooled)
        objectives = []
        for term in self.terms:
            with suppress(UsageError):
                objectives.append(
                    combine(
                        [term],
                        student=network.shape,
                        guidance=teacher,
                        images=torch.from_numpy(shown),
                        classes=classes_of(pack, labelled),
                    )
                )
        refuse_unfit(
            self.views,
            *(Distilled(network, objective) for objective in objectives),
            channels=channels,
            size=size,
            batch=self.plan.batch_size,
            images=len(shown),
        )


def _taps(term: AnyObjective) -> frozenset[Tap]:
    """What an objective reads of the student, as far as it can be told without networks."""
    try:
        return combine([term], student=ANY, guidance=ANY, images=torch.zeros(1).long()).taps
    except UsageError:
        return frozenset()


def distill(settings: DistillSettings, pack: Pack, run: Run) -> dict[str, Any]:
    """Trains a small student to answer like a finished teacher.

    Returns:
        The summary.
    """
    images = material(settings, pack, run)
    transfer = images_of(settings.transfer, images.splits, images.labelled)
    source = _source(settings, pack, transfer, run)
    network, student, objective = _student(settings, source, images, transfer)
    if network.classes is None:
        run.progress.say(
            f"{run.stage} {run.name}: no objective reads the student's logits, so it has no "
            "classifier; `evaluate` probes its features, and `finetune start=` goes on from it"
        )
    if objective.reads_labels and len(images.labelled) < len(transfer):
        run.progress.say(
            f"{run.stage} {run.name}: {len(images.labelled):,} of {len(transfer):,} images have "
            "labels that may be read; the others count nothing where an objective reads them"
        )
    method = Distilled(student, objective)
    plan = settings.plan.over(len(transfer))
    refuse_unfit(  # before a teacher is asked for a bank
        settings.views,
        method,
        channels=images.channels,
        size=images.size,
        batch=settings.plan.batch_size,
        images=len(transfer),
    )

    summary = train_method(
        settings,
        images,
        run,
        method=method,
        network=network,
        guide=_guide(settings, source, objective.guidance_taps, images, transfer, run),
        ring=None if settings.bank is None else settings.bank.views,
        stored_views=settings.stored_views,
        images=transfer,
        parts=settings.transfer,
        labels=images.allowed_labels() if objective.reads_labels else None,
        views=settings.views,
        plan=plan,
        observe=FeatureObserver(
            images,
            run,
            views=settings.views,
            seed=settings.stream(VIEWS),
            objective=objective,
            steps=plan.steps,
        )
        if network.classes is None
        else ClassifierObserver(images, monitor=settings.plan.monitor),
    )
    if network.classes is None:
        summary = {**summary, "notes": [*summary["notes"], *last_words(run)]}
    labels = labels_read(
        run,
        pack,
        train=images.labelled if objective.reads_labels else images.labelled[:0],
        validation=images.validation[:0] if network.classes is None else images.validation,
        parents=[run for run in (settings.teacher, settings.start) if run is not None],
    )
    told = {**source.told, **weights_in(settings.terms, images.classes()), "labels": labels}
    if settings.start is not None:
        told["parents"] = {**told["parents"], "start": parent_identity(settings.start)}
        told["steps_before"] = steps_of(settings.start, "last")
    return {**summary, **told}


def _student(
    settings: DistillSettings, source: RunSource | FileSource, images: Material, transfer: Indices
) -> tuple[NetworkSettings, Network, Combined]:
    """What learns, and what it learns: with a classifier where an objective reads its logits."""
    network = settings.method.network(
        images.classifier(settings.student, settings.head), source.network, size=source.size
    )
    fresh = images.built(network, seed=settings.stream("initialisation"))
    if settings.start is not None:
        fresh.take_backbone(
            backbone_of(settings.start, settings.student, images.pack, setting="student")
        )
    settings.stilled(fresh)
    student = settings.method.begun(fresh, source.network, classes=source.columns)
    objective = combine(
        (*settings.method.own_terms(), *settings.terms),
        student=student.shape,
        guidance=source.shape if settings.bank is None else stored_of(source.shape),
        images=torch.from_numpy(transfer),
        seed=settings.stream("objectives"),
        classes=images.classes(),
    )
    if settings.method.brings_classifier or Tap.LOGITS in objective.taps:
        return network, student, objective
    student.drop_classifier()
    return network.model_copy(update={"classes": None}), student, objective


def _source(
    settings: DistillSettings, pack: Pack, transfer: Indices, run: Run
) -> RunSource | FileSource:
    if settings.answers is not None:
        return file_source(
            settings.answers,
            pack,
            transfer,
            classes=settings.teacher_classes,
            machine=settings.machine,
            run=run,
        )
    assert settings.teacher is not None, "the settings have a teacher or answers"
    return run_source(settings.teacher, settings.checkpoint, pack, classes=settings.teacher_classes)


def _guide(
    settings: DistillSettings,
    source: RunSource | FileSource,
    taps: frozenset[Tap],
    images: Material,
    transfer: Indices,
    run: Run,
) -> Guide:
    if isinstance(source, FileSource):
        return source.guide
    in_loop = source.teacher(taps)
    if settings.bank is None:
        return in_loop
    settings.machine.use_threads()
    return stored(
        in_loop,
        source.found,
        settings,
        plan=settings.views,
        bank=settings.bank,
        images=images,
        transfer=transfer,
        run=run,
    )
