"""Who teaches a distillation: a finished run, or answers that were stored and nothing else."""

from copy import deepcopy
from pathlib import Path
from typing import Any, Literal, NamedTuple

from understudy.core.errors import UsageError
from understudy.core.files import file_hash
from understudy.core.run import Run
from understudy.core.types import Shape, Tap
from understudy.data.pack import Pack
from understudy.engine.machine import MachineSettings
from understudy.guidance.stored_answers import StoredAnswers
from understudy.guidance.teacher import Teacher
from understudy.models.ensemble import Ensemble
from understudy.models.frozen import Frozen
from understudy.models.network import Network
from understudy.stages.answers import AnswersSettings, answers_to
from understudy.stages.material import Indices
from understudy.stages.restore import (
    Restored,
    Slot,
    classes_by_name,
    must_fit,
    restored,
    same_channels,
)
from understudy.stages.training import parent_identity

TeacherClasses = Literal["equal", "by_name"]


class RunSource(NamedTuple):
    """A finished run that teaches in the loop, or through a bank of its answers."""

    path: Path
    found: Restored
    columns: list[int] | None
    """Where the data's classes stand among its own; None: they are the same."""
    shape: Shape
    """What it gives: for the data's classes, or features alone where it names none."""

    @property
    def network(self) -> Network | Ensemble:
        """Who answers."""
        return self.found.network

    @property
    def size(self) -> int:
        """Height and width of the images that it sees."""
        return self.found.settings.size

    def teacher(self, taps: frozenset[Tap]) -> Teacher:
        """The network, frozen; a copy, since freezing folds it, and weights are known as read.

        The members of an ensemble bring what the student sees to their own sizes themselves.
        """
        return Teacher(
            Frozen(deepcopy(self.found.network)),
            taps=taps,
            size=None if isinstance(self.found.network, Ensemble) else self.found.settings.size,
            classes=self.columns,
            name=f"teacher {self.path}, checkpoint {self.found.slot}",
        )

    @property
    def told(self) -> dict[str, Any]:
        """For the summary."""
        parent = {**parent_identity(self.path), "checkpoint": self.found.slot}
        return {"parents": {"teacher": parent}}


class FileSource(NamedTuple):
    """Stored answers."""

    guide: StoredAnswers
    shape: Shape
    """Logits and nothing else, for the data's classes."""
    told: dict[str, Any]
    """For the summary."""
    network: None = None
    size: None = None
    columns: None = None


def run_source(path: Path, slot: Slot, pack: Pack, *, classes: TeacherClasses) -> RunSource:
    """A finished run: a classifier of the data's classes, or a network without a classifier.

    Raises:
        UsageError: There is none; or its classes are to be looked up, and it names none.
        DataError: Its classes or channels are not those of the data.
    """
    found = restored(path, slot)
    if found.settings.classes is None:
        if classes == "by_name":
            raise UsageError(
                f"teacher_classes: {path} names no class, for a run of `{found.summary['stage']}` "
                "holds no classifier here. Take it out."
            )
        same_channels(found, pack, path)
        return RunSource(path, found, None, found.network.shape)
    columns = None
    if classes == "by_name":
        columns = classes_by_name(found, pack, path)
    else:
        advice = "Set `teacher_classes=by_name` to look the data's up among them."
        must_fit(found, pack, path, advice=advice)
    shape = found.network.shape._replace(num_classes=len(pack.classes))
    return RunSource(path, found, columns, shape)


def file_source(
    settings: AnswersSettings,
    pack: Pack,
    images: Indices,
    *,
    classes: TeacherClasses,
    machine: MachineSettings,
    run: Run,
) -> FileSource:
    """Stored answers to the images that a training shows.

    Raises:
        DataError: They cannot serve.
    """
    found = answers_to(settings, pack, images, by_name=classes == "by_name")
    others = f", and {found.others:,} to other images" if found.others else ""
    run.progress.say(
        f"{run.stage} {run.name}: {settings.file} holds the answers to {len(images):,} "
        f"images{others}; each is taken for every view of its image"
    )
    guide = StoredAnswers(
        found.logits,
        indices=images,
        count=len(pack.images),
        device=machine.build_device(),
        name=f"the file {settings.file}",
    )
    told = {"file": settings.file.name, "sha256": file_hash(settings.file), "images": len(images)}
    shape = Shape(pooled=0, stages=(), num_classes=len(pack.classes))
    return FileSource(guide, shape, {"parents": {}, "answers": told})


def stored_of(shape: Shape) -> Shape:
    """What is left of a teacher whose answers are stored in a bank: no maps."""
    return shape._replace(stages=(), averaged=False)
