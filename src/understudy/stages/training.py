"""What every training stage does around the loop: measure, fit, and tell what came of it."""

import json
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from understudy.core.environment import environment
from understudy.core.errors import UsageError
from understudy.core.files import read_json
from understudy.core.identity import parents_of
from understudy.core.run import Run, finished_summary
from understudy.core.types import Batch
from understudy.core.wording import headed
from understudy.data.stream import joined, stored_stream, training_stream
from understudy.data.views import ViewSettings, view_objections
from understudy.engine.layers import layers_objection
from understudy.engine.loop import Observe, fit
from understudy.engine.machine import Choice, describe, forget_compiled
from understudy.engine.measure import chosen
from understudy.engine.memory import keep_freed_memory
from understudy.engine.plan import Plan
from understudy.engine.state import module_device
from understudy.guidance.bank import Views
from understudy.guidance.guide import Guide
from understudy.methods.method import Method
from understudy.models.ensemble import EnsembleNetworkSettings
from understudy.models.network import NetworkSettings
from understudy.objectives.objective import Portion
from understudy.stages.material import (
    VIEWS,
    Indices,
    Material,
    Parts,
    TrainingSettings,
    named_parts,
    parts_notes,
)
from understudy.stages.shown import told_of, write_shown
from understudy.stages.stored_features import stored_features


class Beside(NamedTuple):
    """Images that are shown without their labels, behind those of each batch."""

    images: Indices
    each: int
    """How many of them for each image of the batch."""


def train_method(
    settings: TrainingSettings,
    material: Material,
    run: Run,
    *,
    method: Method,
    network: NetworkSettings | EnsembleNetworkSettings,
    guide: Guide,
    images: Indices,
    parts: Parts = "labelled",
    labels: NDArray[np.int64] | None,
    views: tuple[ViewSettings, ...],
    plan: Plan,
    observe: Observe,
    ring: int | None = None,
    beside: Beside | None = None,
    stored_views: int | None = None,
) -> dict[str, Any]:
    """Trains a method in a run and returns what every training's summary holds.

    Args:
        settings: Of the stage.
        material: Its images.
        run: Where everything is written.
        method: What learns.
        network: How to rebuild its network; written as network.json.
        guide: Who guides it.
        images: Positions in the pack to train on.
        parts: What they are called.
        labels: Labels by position in the pack, or None where no label may be read.
        views: How each view of an image is made.
        plan: Length, optimizer and checks.
        observe: Looks at the network at intervals.
        ring: How many different views of each image there are; None: endless.
        beside: Images that are shown in each step behind the others, without their labels.
        stored_views: Of how many views of each image the frozen backbone's features are shown in
            the place of the images; None: it is asked at every step.
    """
    refuse_unfit(
        views,
        method,
        channels=material.channels,
        size=material.size,
        batch=plan.settings.batch_size,
        images=len(images),
    )
    if objection := layers_objection(method, decay=plan.settings.layer_decay):
        raise UsageError(objection)
    settings.machine.use_threads()
    forget_compiled()
    keep_freed_memory()
    device = settings.machine.build_device()
    method.to(device)
    if isinstance(guide, torch.nn.Module):
        guide.to(device)

    stored = None
    if stored_views is not None:
        made = Views(
            images=material.pack.images,
            indices=images,
            settings=views,
            size=material.size,
            seed=settings.stream(VIEWS),
            device=device,
            statistics=material.statistics,
        )
        stored = stored_features(method, made, ring=stored_views, progress=run.progress)

    def stream(
        choice: Choice,
        start: int,
        *,
        shown: Indices,
        known: NDArray[np.int64] | None,
        batch_size: int,
        order: str,
    ) -> Iterator[Batch]:
        return training_stream(
            material.pack.images,
            indices=shown,
            labels=known,
            views=views,
            size=material.size,
            batch_size=batch_size,
            seed_order=settings.stream(order),
            seed_views=settings.stream(VIEWS),
            ring=ring,
            device=device,
            start=start,
            channels_last=choice.channels_last,
            statistics=material.statistics,
        )

    def batches(choice: Choice, start: int) -> Iterator[Batch]:
        size = plan.settings.batch_size
        if stored is not None:
            return stored_stream(
                stored,
                indices=images,
                labels=labels,
                views=len(views),
                batch_size=size,
                seed_order=settings.stream("order"),
                start=start,
            )
        own = stream(choice, start, shown=images, known=labels, batch_size=size, order="order")
        if beside is None:
            return own
        others = stream(
            choice,
            start,
            shown=beside.images,
            known=None,
            batch_size=size * beside.each,
            order="order of those without labels",
        )
        return joined([own, others])

    run.write("network.json", network.model_dump(mode="json"))
    every = images if beside is None else np.union1d(images, beside.images)
    write_shown(run, material.pack, every, parents_of(settings).values())
    choice, measured = chosen(
        settings.machine,
        subject={
            **_subject(network, material, plan, views),
            **({"beside": beside.each} if beside else {}),
            **({"stored": True} if stored is not None else {}),
        },
        method=method,
        guide=guide,
        batches=lambda choice: next(batches(choice, 0)),
        steps=plan.steps,
        device=device,
        shared=run.shared,
        earlier=run.earlier_environment(),
        progress=run.progress,
    )
    run.write("environment.json", {**environment(), "machine": describe(device), **measured})
    torch.manual_seed(settings.stream("dropout"))
    fitted = fit(
        choice.fabric(device),
        method,
        guide,
        lambda start: batches(choice, start),
        plan,
        run,
        observe,
    )

    return {
        "steps": fitted.step,
        "seconds": fitted.seconds,
        "planned_steps": plan.steps,
        "images": len(images),
        "epochs": plan.epoch(fitted.step),
        "seconds_per_epoch": _seconds_per_epoch(run, plan),
        "precision": str(choice),
        "parameters": counted(method.network),
        "parts": {
            name: number
            for name, part in method.network.named_children()
            if (number := counted(part))
        },
        "network": network.model_dump(mode="json"),
        "checkpoints": _checkpoints(
            run, fitted.step, fitted.watch.best_step, batch=plan.settings.batch_size
        ),
        "skipped": dict(material.pack.skipped),
        "notes": [*material.splits.notes, *parts_notes(parts, material.splits)],
        **told_of(named_parts(parts), parents_of(settings).values()),
        "pack": material.pack.key,
        "split": settings.split.model_dump(mode="json"),
        "meaning": {name: list(labels) for name, labels in material.pack.meaning.items()},
        "seed": settings.seed,
    }


def counted(module: torch.nn.Module) -> int:
    """Parameters of a module, those that do not learn among them."""
    return sum(weight.numel() for weight in module.parameters())


def refuse_unfit(
    views: tuple[ViewSettings, ...],
    *methods: Method,
    channels: int,
    size: int,
    batch: int,
    images: int,
) -> None:
    """Refuses what a method, its objectives or the images cannot do with; all of it at once.

    Args:
        views: How each view of an image is made.
        methods: What would learn; none, where only the views can be looked at yet.
        channels: Of the images.
        size: Height and width of the views that have none of their own.
        batch: Images in a step.
        images: Different ones in the training.

    Raises:
        UsageError: Views are too few, change colours that the images do not have, or have a size
            that the network does not take; or a batch does not suit the method.
    """
    portion = Portion(batch=batch, views=len(views), images=images)
    objections = [
        *view_objections(views, channels),
        *(
            objection
            for method in methods
            for objection in (
                *_size_objections(views, method, channels=channels, size=size),
                *method.objections(portion),
            )
        ),
    ]
    if objections:
        raise UsageError(headed("this training", objections))


def _size_objections(
    views: tuple[ViewSettings, ...], method: Method, *, channels: int, size: int
) -> list[str]:
    """Views of a size of their own that the network does not take."""
    return [
        f"views[{place}].size is {view.size}, but this backbone cannot take images of that size: "
        f"{refusal}. Leave `size` out, for {size}, or choose a convolutional backbone."
        for place, view in enumerate(views)
        if view.size not in (None, size)
        and (refusal := _refusal(method, torch.Size([1, channels, view.size, view.size])))
    ]


@torch.no_grad()
def _refusal(method: Method, images: torch.Size) -> str:
    """What the network says where it is shown such images; mostly nothing."""
    network, device = method.network, module_device(method.network)
    was_training = network.training
    try:
        network.eval()(torch.zeros(images, device=device), method.objective.taps)
    except (
        RuntimeError,
        ValueError,
        AssertionError,
    ) as error:  # whatever a model's own code raises
        return " ".join(str(error).split())[:200]
    finally:
        network.train(was_training)
    return ""


def _subject(
    network: NetworkSettings | EnsembleNetworkSettings,
    material: Material,
    plan: Plan,
    views: tuple[ViewSettings, ...],
) -> dict[str, Any]:
    return {
        "network": network.model_dump(mode="json", exclude={"classes", "numbers"}),
        "classes": len(material.pack.classes),
        "size": material.size,
        "batch": plan.settings.batch_size,
        "views": [view.size or material.size for view in views],
    }


def _checkpoints(run: Run, last: int, best: int | None, *, batch: int) -> dict[str, Any]:
    """For each kept checkpoint its step, and what was seen there on validation and of its batches.

    `train_top1` is the accuracy on the batches since the reading of the log before, each judged
    before its step, and `train_images` the number of images in them; spoiled steps are in neither.
    """
    log = read_log(run)
    seen = {
        record["step"]: {
            f"val_{name}": value
            for name, value in record.items()
            if name not in ("step", "epoch", "phase")
        }
        for record in log
        if record["phase"] == "validation"
    }
    shown, before = {}, 0
    for record in (one for one in log if one["phase"] == "train"):
        step, right = record["step"], record.get("top1")
        if right is not None:
            sound = step - before - record["spoiled_steps"]
            shown[step] = {"train_top1": right, "train_images": batch * sound}
        before = step
    steps = {"last": last, **({} if best is None else {"best": best})}
    return {
        slot: {"step": step, **seen.get(step, {}), **shown.get(step, {})}
        for slot, step in steps.items()
    }


def _seconds_per_epoch(run: Run, plan: Plan) -> float | None:
    """From the median speed of the log, which a slow first step does not move."""
    speeds = [record.get("images_per_second") for record in read_log(run)]
    known = [speed for speed in speeds if speed]
    return plan.images / median(known) if known else None


def read_log(run: Run) -> list[dict[str, Any]]:
    """The records of metrics.jsonl."""
    path = run.path / "metrics.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def parent_identity(run_path: Path) -> dict[str, str]:
    """How a summary names a parent."""
    summary = read_json(run_path / "summary.json")
    return {"identity": summary["identity"], "run": f"{run_path.parent.name}/{run_path.name}"}


def steps_of(run_path: Path, slot: str) -> int:
    """The steps that made a checkpoint, with those that its run went on from; 0 where none did."""
    summary = finished_summary(run_path)
    own = summary.get("checkpoints", {}).get(slot, {}).get("step", summary.get("steps", 0))
    return int(own) + int(summary.get("steps_before", 0))
