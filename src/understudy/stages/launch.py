"""Runs one stage in its directory: found by identity, skipped when finished, resumed when not."""

import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from understudy.core.environment import code_version
from understudy.core.errors import MemoryExhaustedError, UsageError
from understudy.core.files import file_hash
from understudy.core.identity import canonical, digest, files_of, parents_of
from understudy.core.interrupts import Interrupts, stopped
from understudy.core.progress import Progress
from understudy.core.run import IDENTITY_LENGTH, Run, finished_summary, known_keys, place_of
from understudy.core.settings import checked, headed
from understudy.core.yaml import read_yaml, write_yaml
from understudy.data.pack import Pack
from understudy.data.settings import DataSettings
from understudy.data.splits import SplitSettings, split
from understudy.stages import FUNCTIONS, STAGES
from understudy.stages.images import open_images, warned
from understudy.stages.restore import lost_files, meaning_of
from understudy.stages.shown import said_so, seen_by

ELSEWHERE = {"keep_out", "allow_seen"}
"""Settings of a split that move nothing between training, validation and test of a scheme."""
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


class Launched(NamedTuple):
    """A finished run, and whether it was finished before."""

    run: Run
    summary: dict[str, Any]
    was_skipped: bool


def launch(
    stage: str,
    recipe: Mapping[str, Any],
    *,
    origin: str,
    name: str,
    runs: Path,
    shared: Path,
    out: Path | None,
    progress: Progress,
    interrupts: Interrupts,
    told_of_images: bool = False,
    at_once: int = 1,
) -> Launched:
    """Runs a stage, or finds that it has been run.

    Args:
        stage: Its name.
        recipe: Its settings as given; parents are directories of finished runs.
        origin: Where the settings came from, to head error messages.
        name: The run's name for people.
        runs: Root of all runs.
        shared: Where packs and other things that runs share lie.
        out: The run's directory where the user names one.
        progress: Where to show how far it is.
        interrupts: Where to ask whether a signal came.
        told_of_images: The warnings about the images were said before, as a study does once.
        at_once: How many runs share the machine, at most: a fact about the times in the summary.

    Raises:
        UnderstudyError: Anything that a user can cause or meet.
    """
    if not NAME.fullmatch(name):
        raise UsageError(
            f"--name {name!r}: must be letters, digits, `_`, `.` and `-`, for it names a folder."
        )
    settings = checked(STAGES[stage], recipe, origin)
    assert isinstance(settings, DataSettings)
    parents = {key: finished_summary(path) for key, path in parents_of(settings).items()}
    settings.must_be_at_hand()
    settings = _with_parents_images(settings, recipe, origin)
    pack, check = open_images(settings, runs=runs, shared=shared, progress=progress)
    _must_share_split(settings, pack, parents, origin)
    _must_not_have_seen(settings, pack, parents, shared=shared, origin=origin)

    key = digest(canonical(settings, {field: found["key"] for field, found in parents.items()}))
    known = {field: found["identity"] for field, found in parents.items()}
    known |= {field: file_hash(path) for field, path in files_of(settings).items()}
    content = {"settings": canonical(settings, known), "pack": pack.key}
    identity = digest(content)[:IDENTITY_LENGTH]
    run = Run(
        out or place_of(runs, stage=stage, name=name, identity=identity, shared=shared),
        stage=stage,
        name=name,
        shared=shared,
        identity=identity,
        progress=progress,
        interrupts=interrupts,
    )
    values = settings.model_dump(mode="json")
    config = {"identity": identity, "key": key, "settings": values}
    if run.is_finished:
        return _found(run, config)
    if not run.is_started and key in known_keys(runs, stage=stage):
        read = " or ".join(["images", *files_of(settings)])
        progress.say(f"{stage} {name}: the {read} have changed since it was run; a new run")

    if not told_of_images and (warning := warned(check)):
        progress.warn(warning)
    run.start(config)
    try:
        if run.is_finished:  # by another process, since we looked
            return _found(run, config)
        progress.detail(f"{stage} {name}: {run.path}, with\n{write_yaml(values).rstrip()}")
        began = time.monotonic()
        if settings.keeps_check:
            run.write("data/check.json", check.as_json())
        summary = _within_memory(stage, settings, pack, run)
        heading = {"stage": stage, "name": name, "identity": identity, "key": key}
        times = {"seconds": time.monotonic() - began, "at_once": at_once}
        run.finish({**heading, **times, **summary, "version": code_version()})
    finally:
        run.release()
    if interrupts.received is not None:
        raise stopped(interrupts.received)
    return Launched(run, run.summary(), was_skipped=False)


def _found(run: Run, config: Mapping[str, Any]) -> Launched:
    """A run that is finished.

    Raises:
        UsageError: The directory holds another.
    """
    run.must_be(config)
    summary = run.summary()
    if gone := lost_files(run.path, summary):
        run.progress.warn(f"{run.path}: {gone} is gone; nothing new can be made from this run")
    run.progress.detail(f"{run.stage} {run.name}: finished before, {run.path}")
    return Launched(run, summary, was_skipped=True)


def _within_memory(stage: str, settings: DataSettings, pack: Pack, run: Run) -> dict[str, Any]:
    """Runs the stage's function.

    Raises:
        MemoryExhaustedError: It needs more memory than there is.
    """
    try:
        return FUNCTIONS[stage](settings, pack, run)
    except (MemoryError, torch.OutOfMemoryError) as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise MemoryExhaustedError(
            f"{stage} {run.name}: out of memory ({reason}). What was saved is kept; "
            "a smaller `plan.batch_size` or a smaller network needs less."
        ) from error


def _with_parents_images(
    settings: DataSettings, recipe: Mapping[str, Any], origin: str
) -> DataSettings:
    """Where the recipe does not say which images and which split, those of the first parent."""
    unsaid = DataSettings.model_fields.keys() - recipe.keys()
    parent = next(iter(parents_of(settings).values()), None)
    if parent is None or not unsaid:
        return settings
    theirs = read_yaml(parent / "config.yaml")["settings"]
    return checked(
        type(settings), {**recipe, **{key: theirs[key] for key in unsaid & theirs.keys()}}, origin
    )


def _must_share_split(
    settings: DataSettings, pack: Pack, parents: Mapping[str, dict[str, Any]], origin: str
) -> None:
    """Refuses another split of the same images: a parent may have trained on what is test here.

    Raises:
        UsageError: With both splits.
    """
    own = settings.split.model_dump(exclude=ELSEWHERE)
    theirs = {
        # a setting that came later: default
        field: SplitSettings.model_validate(parent["split"]).model_dump(exclude=ELSEWHERE)
        for field, parent in parents.items()
        if parent.get("pack") == pack.key
        and isinstance(parent.get("split"), Mapping)  # an evaluation's names what it looked at
        and meaning_of(parent) == pack.meaning
    }
    mistakes = [
        f"split  {field} was trained with {split}, but {own} is asked for"
        for field, split in theirs.items()
        if split != own
    ]
    if mistakes:
        raise UsageError(headed(origin, mistakes))


def _must_not_have_seen(
    settings: DataSettings,
    pack: Pack,
    parents: Mapping[str, dict[str, Any]],
    *,
    shared: Path,
    origin: str,
) -> None:
    """Refuses parents of another scheme that learned from what is test here, unasked.

    Those of the same scheme have kept away from its test images themselves.

    Raises:
        UsageError: With what helps.
    """
    if settings.split.allow_seen:
        return
    places = parents_of(settings)
    others = [
        field
        for field, parent in parents.items()
        if "checkpoints" in parent
        and meaning_of(parent) != pack.meaning
        and not said_so(places[field])
    ]
    if not others:
        return
    splits = split(pack, settings.split)
    clean = np.setdiff1d(splits.test, splits.leaked)
    counts = {
        field: len(seen_by(places[field], pack, clean, shared=shared).positions) for field in others
    }
    name = settings.scheme or "SCHEME"
    mistakes = [
        f"{field}  learned from {count:,} of the {len(splits.test):,} test images here, for it had "
        f"another scheme. Train it with split.keep_out=[{name}], or go on with "
        "split.allow_seen=true: every figure on them is marked"
        for field, count in counts.items()
        if count
    ]
    if mistakes:
        raise UsageError(headed(origin, mistakes))
