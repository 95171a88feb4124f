"""Make one classifier of several finished ones: their mean answers every image."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import Field, PositiveFloat, model_validator

from understudy.core.environment import environment
from understudy.core.errors import UsageError
from understudy.core.run import Run
from understudy.core.settings import Aside, RunPath
from understudy.data.pack import Pack
from understudy.data.settings import DataSettings
from understudy.data.splits import split
from understudy.engine.checkpoint import Checkpoint, publish
from understudy.engine.machine import MachineSettings
from understudy.evaluation.accuracy import accuracy
from understudy.evaluation.agreement import disagreement
from understudy.evaluation.calibration import calibration
from understudy.evaluation.predict import Predictions
from understudy.models.ensemble import Ensemble, EnsembleNetworkSettings, Mean
from understudy.stages.calibrating import validation_labels
from understudy.stages.label_count import labels_read
from understudy.stages.material import Indices
from understudy.stages.observers import answers_on
from understudy.stages.restore import Slot, classifier, must_fit, one_network
from understudy.stages.shown import told_of, write_shown
from understudy.stages.training import parent_identity

NONE = np.array([], dtype=np.int64)


class EnsembleSettings(DataSettings):
    """Make one classifier of several finished ones.

    Nothing is trained: the run holds the weights of all members, and is evaluated, exported,
    asked and distilled like any other classifier. What its members say on validation is compared
    on the labels that they have read.
    """

    stage: Literal["ensemble"] = "ensemble"
    members: Annotated[tuple[RunPath, ...], Field(min_length=2)]
    """Runs of finished trainings of the same classes, on the same split."""
    checkpoint: Slot = "best"
    """Which of their checkpoints answers."""
    mean: Mean = "probabilities"
    """Of what: the probabilities, which is linear in every member, or the logits."""
    weights: tuple[PositiveFloat, ...] | None = None
    """One for each member; their sum does not matter. By default all are equal."""
    machine: Annotated[MachineSettings, Aside()] = MachineSettings()
    """Where to compute. Changes no identity."""

    @model_validator(mode="after")
    def _one_weight_for_each(self) -> Self:
        if self.weights is not None and len(self.weights) != len(self.members):
            raise ValueError(
                f"weights: {len(self.weights)} given for {len(self.members)} members; "
                "give one for each"
            )
        return self


def ensemble(settings: EnsembleSettings, pack: Pack, run: Run) -> dict[str, Any]:
    """Puts the members' weights into one run, and compares their answers on validation.

    Returns:
        The summary.
    """
    splits = split(pack, settings.split)
    found = [classifier(path, settings.checkpoint) for path in settings.members]
    for path, member in zip(settings.members, found, strict=True):
        must_fit(member, pack, path)
    _must_differ([each.summary["identity"] for each in found], settings.members)
    members = [one_network(each, path) for path, each in zip(settings.members, found, strict=True)]
    network = EnsembleNetworkSettings(
        members=tuple(each for _, each in members),
        mean=settings.mean,
        weights=settings.weights or (1.0,) * len(members),
        size=max(each.size for _, each in members),
    )
    together = network.empty()
    for place, (single, _) in zip(together.members, members, strict=True):
        place.load_state_dict(single.state_dict())

    read = labels_read(run, pack, train=NONE, validation=NONE, parents=settings.members)
    seen = _seen(settings, pack, together, validation_labels(run.path, pack, splits), run)
    run.write("network.json", network.model_dump(mode="json"))
    write_shown(run, pack, NONE, settings.members)
    run.write("environment.json", environment())
    last = Checkpoint(model=together.state_dict(), train_state={}, state={"step": 0})
    publish(run.path / "checkpoints", "last", last)
    return {
        "steps": 0,
        "parameters": sum(weight.numel() for weight in together.parameters()),
        "network": network.model_dump(mode="json"),
        "checkpoints": {"last": {"step": 0, **seen.pop("ensemble")}},
        **seen,
        "skipped": dict(pack.skipped),
        "notes": list(splits.notes),
        **told_of((), settings.members),
        "meaning": {name: list(labels) for name, labels in pack.meaning.items()},
        "pack": pack.key,
        "split": settings.split.model_dump(mode="json"),
        "labels": read,
        "parents": {
            f"members[{position}]": {**parent_identity(path), "checkpoint": member.slot}
            for position, (path, member) in enumerate(zip(settings.members, found, strict=True))
        },
    }


def _must_differ(identities: Sequence[str], paths: Sequence[Path]) -> None:
    """Refuses a member that is there twice: it would agree with itself.

    Raises:
        UsageError: With its path.
    """
    twice = [path for at, path in enumerate(paths) if identities[at] in identities[:at]]
    if twice:
        raise UsageError(f"members: {twice[0]} is named twice. Set `weights` to count it more.")


def _seen(
    settings: EnsembleSettings, pack: Pack, together: Ensemble, images: Indices, run: Run
) -> dict[str, Any]:
    """What the members and their mean answer to the validation images whose labels they read."""
    if not len(images):
        return {"ensemble": {}, "members": []}
    settings.machine.use_threads()
    device = settings.machine.build_device()
    together.to(device)
    labels = pack.labels[images]

    def figures(answers: Predictions) -> dict[str, float]:
        seen = accuracy(answers.logits, labels, classes=pack.classes)
        ece = calibration(answers.logits, labels).ece
        return {"val_top1": seen.top1, "val_nll": seen.nll, "val_ece": ece}

    asked = [
        answers_on(member, pack, images, size=size)
        for member, size in zip(together.members, together.sizes, strict=True)
    ]
    whole = answers_on(together, pack, images, size=max(together.sizes))
    together.cpu()
    apart = disagreement(asked)
    members = [figures(answers) for answers in asked]
    ensemble = figures(whole)
    mean = sum(member["val_top1"] for member in members) / len(members)
    run.progress.say(
        f"{run.stage} {run.name}: {len(members)} members, mean {mean:.1%}, together "
        f"{ensemble['val_top1']:.1%} on {len(images):,} validation images; two members differ on "
        f"{apart:.1%} of them"
    )
    return {"ensemble": ensemble, "members": members, "disagreement": apart}
