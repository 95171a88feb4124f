"""What an objective is, and how several become one loss."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from itertools import count
from typing import ClassVar, NamedTuple, Self

import torch
from torch import Tensor, nn

from understudy.core.errors import UsageError
from understudy.core.settings import Settings
from understudy.core.types import Outputs, Shape, Tap, Targets, Terms
from understudy.objectives.pairing import StagePair
from understudy.objectives.weight import Ramp, Weight, weight_at

Views = tuple[Outputs, ...]
"""The outputs of one network for each view of the batch."""


class Portion(NamedTuple):
    """How much a step of a training brings, which is known before the first."""

    batch: int
    """Images: `plan.batch_size`."""
    views: int
    """Of each image: the length of `views`."""
    images: int
    """Different ones, in the whole training."""


class Classes(NamedTuple):
    """What labels a training reads."""

    names: tuple[str, ...]
    """In the order of the logits."""
    counts: tuple[int, ...]
    """Images of each whose label is learned from."""


REMEDIES = {
    Tap.LOGITS: (
        "a classifier",
        "finetune it on labels first, or let `terms` compare features instead, as "
        "`terms=[{kind: regression}]`",
    ),
    Tap.PROJECTED: (
        "a projector",
        "set `projector` where it pretrains, as every run of `pretrain` has one, or choose an "
        "objective that needs none",
    ),
    Tap.STAGES: (
        "stages",
        "stored answers have none; let the teacher answer in the loop, choose another backbone, or "
        "an objective that compares other outputs",
    ),
    Tap.POOLED: (
        "pooled features",
        "ensembles and answers in a file have none; let one network teach, or compare logits",
    ),
}


class Objective(nn.Module, ABC):
    """A part of the loss. It may own parameters and buffers; they are trained and saved with it.

    It never asks the device for a value, so that a whole step stays one graph.
    """

    taps: ClassVar[frozenset[Tap]]
    """What it reads of the student."""
    guidance_taps: ClassVar[frozenset[Tap]] = frozenset()
    """What it reads of the teacher; empty: it works without one."""
    reads_labels: ClassVar[bool] = False
    """Whether it reads `Targets.labels`."""
    views: int = 1
    """The least number of views that it needs."""
    guided_views: int | None = None
    """To how many of the views, the first ones, it asks the teacher's answers; None: to all."""
    pairs: tuple[StagePair, ...] = ()
    """Where it taps STAGES of both networks: which of them it compares; it reads no others."""

    @abstractmethod
    def forward(self, student: Views, guidance: Views | None, targets: Targets) -> Terms:
        """The parts of the loss: scalars, averaged over batch and views, not weighted.

        Args:
            student: For each view, at least the taps declared.
            guidance: For each view of the student's, the same view seen by the teacher, at least
                for `guided_views` of them; None only where `guidance_taps` is empty. No gradient is
                sent into it.
            targets: Labels and positions of the images.
        """

    def objection(self, portion: Portion) -> str | None:
        """Why steps of so much cannot be learned from and what to set, or None."""
        del portion
        return None

    def assignments(self, projected: Tensor) -> Tensor | None:
        """To which prototypes it assigns images, before they are shared out; here there are none.

        Args:
            projected: [N, P], projections of different images, as `Outputs` has them.

        Returns:
            [N, K]: what each image gives to each prototype, each row 1 in all; None where an
            objective compares projections otherwise.
        """
        del projected
        return None

    def at(self, progress: float) -> None:
        """Called before each step of a training, for what follows a schedule. Here, nothing does.

        What moves belongs into tensors, so that a compiled step meets no new constant; into such as
        are not saved, since it follows from the progress.

        Args:
            progress: The share of the training that is done, from 0 to 1.
        """


class ObjectiveSettings(Settings):
    """Base of the settings of objectives."""

    kind: str
    weight: Weight = 1.0
    """Factor in the sum of all terms: a number, or `{start, end, after, until}`."""

    def among(self, classes: Classes) -> Self:
        """The settings with what follows from the labels written out; mostly as they are.

        Raises:
            UsageError: They do not fit these classes.
        """
        del classes
        return self

    @abstractmethod
    def build(self, student: Shape, guidance: Shape | None, images: Tensor) -> Objective:
        """The objective for networks of these widths, and for these images.

        Own parameters draw from torch's global generator, which `combine` seeds.

        Args:
            student: The student's widths.
            guidance: The teacher's widths, or None where nobody teaches.
            images: [n], int64: the images that the training shows, as `Targets.index` names them,
                for an objective that remembers each.

        Raises:
            UsageError: The widths do not fit, or a teacher is needed and there is none.
        """


def guided(guidance: Shape | None, kind: str, *taps: Tap) -> Shape:
    """The teacher's widths, among them those of these taps.

    Raises:
        UsageError: There is no teacher, or it does not have them.
    """
    if guidance is None:
        raise UsageError(
            f"Objective {kind!r} learns from a teacher, but this training has none. Take it out "
            "of the terms, or distill from a finished run with `teacher`."
        )
    _check(kind, frozenset(taps), guidance, network="teacher")
    return guidance


class Combined(nn.Module):
    """Objectives, each with its weight.

    Args:
        objectives: To add up.
        names: One for each; they head its terms.
        weights: One for each; ramps follow `at`.
    """

    weights: Tensor

    def __init__(
        self,
        *,
        objectives: Sequence[Objective],
        names: Sequence[str],
        weights: Sequence[float | Ramp],
    ) -> None:
        super().__init__()
        self.objectives = nn.ModuleList(objectives)
        self._each = tuple(objectives)
        self.names = tuple(names)
        self.taps = frozenset[Tap]().union(*(objective.taps for objective in objectives))
        self.guidance_taps = frozenset[Tap]().union(*(each.guidance_taps for each in objectives))
        self.reads_labels = any(objective.reads_labels for objective in objectives)
        self.views = max(objective.views for objective in objectives)
        self.guided_views = _most_guided(objectives)
        self._schedule = tuple(weights)
        # A tensor, so that a compiled step meets no new constant when a weight moves; not saved,
        # since it follows from the progress.
        self.register_buffer("weights", self._weights_at(0.0), persistent=False)

    def objections(self, portion: Portion) -> list[str]:
        """Why steps of so much cannot be learned from, and what to set; mostly nothing."""
        few = [self._few_views(portion.views)] if portion.views < self.views else []
        asked = zip(self.names, (each.objection(portion) for each in self._each), strict=True)
        return few + [f"Objective {name!r}: {what}" for name, what in asked if what is not None]

    def assignments(self, projected: Tensor) -> Tensor | None:
        """Those of the first objective that has prototypes, [N, K]; None where none has."""
        each = (objective.assignments(projected) for objective in self._each)
        return next((found for found in each if found is not None), None)

    def _few_views(self, given: int) -> str:
        return (
            f"`views` has {given} of the {self.views} views of each image that the objectives "
            f"compare. List {self.views}; they may be equal, and are drawn apart."
        )

    def at(self, progress: float) -> None:
        """Moves weights and objectives to where they belong after a share of the training."""
        if any(isinstance(weight, Ramp) for weight in self._schedule):
            self.weights.copy_(self._weights_at(progress))
        for objective in self._each:
            objective.at(progress)

    def forward(
        self, student: Views, guidance: Views | None, targets: Targets
    ) -> tuple[Tensor, Terms]:
        """Adds up all terms.

        Returns:
            The weighted sum, and the terms without their weights, named as the objective, or
            `objective.part` where it has several; gradients are still attached to both.

        Raises:
            UsageError: An objective needs more views of each image than there are.
        """
        if len(student) < self.views:
            raise UsageError(self._few_views(len(student)))
        parts = [objective(student, guidance, targets) for objective in self.objectives]
        totals = torch.stack([torch.stack(list(terms.values())).sum() for terms in parts])
        named = {
            name if len(terms) == 1 else f"{name}.{part}": value
            for name, terms in zip(self.names, parts, strict=True)
            for part, value in terms.items()
        }
        return (self.weights * totals).sum(), named

    def _weights_at(self, progress: float) -> Tensor:
        return torch.tensor([weight_at(weight, progress) for weight in self._schedule])


def _most_guided(objectives: Sequence[Objective]) -> int | None:
    """To how many views some objective asks the teacher's answers; None: to all."""
    asked = [each.guided_views for each in objectives if each.guidance_taps]
    known = [number for number in asked if number is not None]
    return max(known) if known and len(known) == len(asked) else None


def combine(
    settings: Sequence[ObjectiveSettings],
    *,
    student: Shape,
    guidance: Shape | None,
    images: Tensor,
    seed: int = 0,
    classes: Classes | None = None,
) -> Combined:
    """Builds all objectives of a training for the networks at hand.

    Objectives of one kind are told apart by a number: `soft_label`, `soft_label#2`.

    Args:
        settings: In the order of the terms.
        student: The student's widths.
        guidance: The teacher's widths, or None where nobody teaches.
        images: [n], int64: positions in the pack of the images that the training shows.
        seed: Draws the objectives' own parameters; the global generator is left as it was.
        classes: The labels that are learned from, for what follows from them; None where it is
            asked what objectives read, and nothing is trained.

    Raises:
        UsageError: There is none, or one of them needs what student or teacher do not have.
    """
    if not settings:
        raise UsageError("There is no objective to train for. Give `terms` at least one entry.")
    with torch.random.fork_rng(devices=[]):  # devices: the CPU's generator alone
        torch.default_generator.manual_seed(seed)
        objectives = [
            _built(each, student=student, guidance=guidance, images=images)
            for each in (one.among(classes) if classes else one for one in settings)
        ]

    return Combined(
        objectives=objectives,
        names=_distinct([each.kind for each in settings]),
        weights=[each.weight for each in settings],
    )


def _built(
    settings: ObjectiveSettings, *, student: Shape, guidance: Shape | None, images: Tensor
) -> Objective:
    objective = settings.build(student, guidance, images)

    _check(settings.kind, objective.taps, student, network="student")
    if objective.guidance_taps:
        teacher = guided(guidance, settings.kind)
        _check(settings.kind, objective.guidance_taps, teacher, network="teacher")
        _check_classes(settings.kind, objective, student, teacher)
    return objective


def _check(kind: str, taps: frozenset[Tap], shape: Shape, *, network: str) -> None:
    there = {
        Tap.LOGITS: shape.num_classes is not None,
        Tap.PROJECTED: shape.projected is not None,
        Tap.STAGES: bool(shape.stages),
        Tap.POOLED: bool(shape.pooled),
    }
    for tap in sorted(taps, key=lambda tap: tap.value):
        if not there[tap]:
            what, remedy = REMEDIES[tap]
            raise UsageError(f"Objective {kind!r} needs a {network} with {what}: {remedy}.")


def _check_classes(kind: str, objective: Objective, student: Shape, teacher: Shape) -> None:
    compares = Tap.LOGITS in objective.taps & objective.guidance_taps
    if compares and student.num_classes != teacher.num_classes:
        raise UsageError(
            f"Objective {kind!r} compares logits, but the student has {student.num_classes} "
            f"classes and the teacher {teacher.num_classes}. Use a teacher of the same classes."
        )


def _distinct(kinds: Sequence[str]) -> list[str]:
    counters = {kind: count(1) for kind in kinds}
    numbered = [(kind, next(counters[kind])) for kind in kinds]
    return [kind if number == 1 else f"{kind}#{number}" for kind, number in numbered]
