"""Evaluate finished runs side by side on the test split, which nothing else ever reads."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from pydantic import Field

from understudy.core.files import make_folder, write_bytes
from understudy.core.run import Run
from understudy.core.settings import Added, Aside, RunPath
from understudy.data.pack import Pack
from understudy.data.settings import DataSettings
from understudy.data.splits import Splits, split
from understudy.engine.machine import MachineSettings
from understudy.evaluation.accuracy import accuracy
from understudy.evaluation.agreement import agreement, disagreement
from understudy.evaluation.binary import binary, positive_of
from understudy.evaluation.calibration import calibration
from understudy.evaluation.predict import Predictions
from understudy.models.ensemble import Ensemble
from understudy.stages.calibrating import temperature_of
from understudy.stages.costs import cost_of
from understudy.stages.material import Indices
from understudy.stages.observers import answers_on
from understudy.stages.probing import (
    Known,
    ProbingSettings,
    doubts_of,
    known_labels,
    notes_of,
    probed,
)
from understudy.stages.restore import (
    Restored,
    Slot,
    classes_by_name,
    classifier,
    means_other,
    restored,
    same_channels,
    slots_of,
)
from understudy.stages.showing import write_examples
from understudy.stages.shown import Seen, seen_by
from understudy.stages.training import parent_identity


class EvaluateSettings(DataSettings):
    """Evaluate finished runs side by side.

    Classifiers are asked for their answers; of networks without one the frozen features are probed.
    What a model says of classes that the data do not have is left out, and noted.
    """

    stage: Literal["evaluate"] = "evaluate"
    models: Annotated[tuple[RunPath, ...], Field(min_length=1)]
    """Runs of finished trainings."""
    machine: Annotated[MachineSettings, Aside()] = MachineSettings()
    """Where to compute: device and threads; always in fp32, as it stands. Changes no identity."""
    on: Literal["test", "val"] = "test"
    """The split to evaluate on. Look at "val" as often as you like, at "test" once."""
    positive: Annotated[str | None, Added()] = None
    """Of two classes the one that is looked for, whose precision, recall, F1, F0.5 and AUC are
    told; by default that of the scheme which is not `otherwise`, else the second."""
    probe: ProbingSettings = ProbingSettings()

    def must_fit(self, pack: Pack) -> None:
        """Looks whether there is such a class."""
        self.sought(pack)

    def sought(self, pack: Pack) -> str | None:
        """The class that is looked for; None where there are other than two."""
        scheme = self.chosen_scheme
        otherwise = scheme.otherwise if scheme else None
        return positive_of(pack.classes, self.positive, otherwise=otherwise)


def evaluate(settings: EvaluateSettings, pack: Pack, run: Run) -> dict[str, Any]:
    """Evaluates the last and the best checkpoint of every model.

    Returns:
        The summary.
    """
    splits = split(pack, settings.split)
    images: Indices = splits.test if settings.on == "test" else splits.val
    models = [_model(path, settings, pack, splits) for path in settings.models]
    subjects = [(each.path, each.known) for each in models if each.known is not None]
    kept = [
        (each.path, slot) for each in models if each.is_classifier for slot in slots_of(each.path)
    ]

    settings.machine.use_threads()
    device = settings.machine.build_device()

    run.progress.begin(f"{run.stage} {run.name}", len(subjects) + 2 * len(kept))
    seen = {each.path: seen_by(each.path, pack, images, shared=run.shared) for each in models}
    probes = [
        {
            **_probe(path, known, settings, pack, images, device, run),
            **_of_seen(seen[path], splits),
        }
        for path, known in subjects
    ]
    answered = [_answered(path, slot, pack, images, device, run) for path, slot in kept]
    sought = settings.sought(pack)
    evaluations = [
        {
            **_figures(each, answered, pack, images, splits, sought, run),
            **_of_seen(seen[each.path], splits),
        }
        for each in answered
    ]
    run.progress.end(f"{len(kept)} checkpoints on {len(images):,} images")

    return {
        "split": settings.on,
        "images": len(images),
        "leaked": int(np.isin(images, splits.leaked).sum()),
        "classes": list(pack.classes),
        "evaluations": evaluations,
        "probes": probes,
        "notes": [
            *splits.notes,
            *dict.fromkeys(each.note for each in answered if each.note),
            *(each.note for each in models if each.note),
            *(_gone(path, found) for path, found in seen.items() if found.unknown),
            *dict.fromkeys(
                note for _, known in subjects for note in notes_of(known, pack, settings.probe)
            ),
            *dict.fromkeys(
                doubt
                for figures in probes
                for doubt in doubts_of(figures, settings.probe, on=settings.on)
            ),
        ],
        "parents": {
            f"models[{position}]": parent_identity(path)
            for position, path in enumerate(settings.models)
        },
        "pack": pack.key,
    }


def _of_seen(seen: Seen, splits: Splits) -> dict[str, int]:
    """How many images it has learned from, beside those that leaked for all."""
    return {"seen": len(np.setdiff1d(seen.positions, splits.leaked))}


def _gone(path: Path, seen: Seen) -> str:
    return (
        f"{path.name} learned also from images whose pack is gone ({seen.unknown}): whether any of "
        "them is evaluated here is not known."
    )


class _Model(NamedTuple):
    path: Path
    is_classifier: bool
    known: Known | None
    """The labels that the probes of its features may read; None: they are not probed."""
    note: str


def _model(path: Path, settings: EvaluateSettings, pack: Pack, splits: Splits) -> _Model:
    """How a run is evaluated; looked at before any heavy work."""
    model = restored(path, "last")
    same_channels(model, pack, path)
    if model.classes and not settings.probe.classifiers:
        return _Model(path, is_classifier=True, known=None, note="")
    if isinstance(model.network, Ensemble):
        note = f"{path.name}: an ensemble has no features of its own to be probed."
        return _Model(path, is_classifier=True, known=None, note=note)
    known = known_labels(path, model, pack, splits, settings.probe)
    return _Model(path, is_classifier=bool(model.classes), known=known, note="")


class _Answered(NamedTuple):
    path: Path
    slot: Slot
    model: Restored
    answers: Predictions
    """For the data's classes, in their order."""
    note: str
    """What is to be known of them; mostly nothing."""


def _probe(
    path: Path,
    known: Known,
    settings: EvaluateSettings,
    pack: Pack,
    images: Indices,
    device: torch.device,
    run: Run,
) -> dict[str, Any]:
    model = restored(path, "last")
    model.network.to(device)
    figures = probed(path, model, known, pack, images, settings.probe)
    run.progress.advance()
    return {**parent_identity(path), "checkpoint": "last", **figures}


def _answered(
    path: Path, slot: Slot, pack: Pack, images: Indices, device: torch.device, run: Run
) -> _Answered:
    """Asks one checkpoint about every image, and writes its answers into the run."""
    model = classifier(path, slot)
    columns = classes_by_name(model, pack, path)
    network = model.network.to(device)
    answers = answers_on(network, pack, images, size=model.settings.size)
    if columns is not None:
        answers = answers._replace(logits=answers.logits[:, columns])
    _write_answers(run, f"{path.name}-{slot}", answers, pack)
    run.progress.advance()
    return _Answered(path, slot, model, answers, _left_out(path, model, pack))


def _left_out(path: Path, model: Restored, pack: Pack) -> str:
    """A sentence where a model knows more classes than it is measured on."""
    known, asked = len(model.classes), len(pack.classes)
    if means_other(model, pack):
        return (
            f"{path.name} learned classes of the same names that were other sets of labels: it is "
            "judged by those of the scheme here."
        )
    if known == asked:
        return ""
    return (
        f"{path.name} knows {known:,} classes: it was asked for the {asked:,} of the data, and "
        "what it says of the others was left out, which makes its task easier."
    )


def _figures(
    each: _Answered,
    answered: list[_Answered],
    pack: Pack,
    images: Indices,
    splits: Splits,
    sought: str | None,
    run: Run,
) -> dict[str, Any]:
    labels, logits = pack.labels[images], each.answers.logits
    teacher = _teacher(each, answered)
    temperature = temperature_of(each.path, each.model, pack, splits)
    cost = cost_of(each.path, run)
    run.progress.advance()
    return {
        **parent_identity(each.path),
        "checkpoint": each.slot,
        **accuracy(logits, labels, classes=pack.classes).as_json(),
        "binary": binary(logits, labels, classes=pack.classes, positive=sought).as_json()
        if sought
        else None,
        **calibration(logits, labels).as_json(),
        "temperature": temperature.as_json(),  # fitted on validation, whatever is evaluated
        "ece_calibrated": calibration(logits / temperature.value, labels).ece,
        "agreement": agreement(each.answers, teacher) if teacher is not None else None,
        "disagreement": disagreement(members) if (members := _members(each, answered)) else None,
        "examples": _examples(each, teacher, pack, run),
        **cost,
    }


def _teacher(each: _Answered, answered: list[_Answered]) -> Predictions | None:
    """The answers of the model's teacher, where it is here too."""
    return _of_parent(each.model.summary["parents"].get("teacher"), answered)


def _members(each: _Answered, answered: list[_Answered]) -> list[Predictions]:
    """The answers of an ensemble's members, where all of them are here too."""
    parents = each.model.summary["parents"]
    named = [parent for role, parent in parents.items() if role.startswith("members[")]
    found = [_of_parent(parent, answered) for parent in named]
    known = [answers for answers in found if answers is not None]
    return known if len(known) == len(named) else []


def _of_parent(parent: Mapping[str, str] | None, answered: list[_Answered]) -> Predictions | None:
    """What a parent of a run answered, at the checkpoint that was taken of it."""
    for other in answered:
        if parent and (other.model.summary["identity"], other.slot) == (
            parent["identity"],
            parent["checkpoint"],
        ):
            return other.answers
    return None


def _examples(each: _Answered, teacher: Predictions | None, pack: Pack, run: Run) -> str | None:
    """The file of images to show; of the last checkpoint alone, the main one."""
    if each.slot != "last":
        return None
    return write_examples(run, f"{each.path.name}-{each.slot}", each.answers, teacher, pack)


def _write_answers(run: Run, name: str, answers: Predictions, pack: Pack) -> None:
    table = pa.table(
        {
            "image": [pack.names[position] for position in answers.index],
            "label": pack.labels[answers.index],
            "logits": pa.array(list(answers.logits), type=pa.list_(pa.float32())),
        }
    )
    stream = pa.BufferOutputStream()
    pq.write_table(table, stream)
    folder = make_folder(run.path / "predictions")
    write_bytes(folder / f"{name}.parquet", stream.getvalue().to_pybytes())
