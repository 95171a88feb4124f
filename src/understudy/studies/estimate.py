"""What a plan will take, time and disk, as far as runs like its own were measured before."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from statistics import fmean
from textwrap import wrap
from typing import Any, NamedTuple

import torch
from pydantic import ValidationError

from understudy.core.errors import UnderstudyError
from understudy.core.settings import Settings
from understudy.results.formats import size as told_size
from understudy.results.measured import Measured, measured
from understudy.studies.plan import Node, Plan
from understudy.studies.remaining import about

BYTES = 4  # of a number
COPIES = 3  # of the weights: last, previous and best
STATES = {"sgd": 1, "adamw": 2, "lars": 1}  # numbers that an optimizer keeps of each weight
KEPT = 2  # of an optimizer's state: last and previous
WIDTH = 79
NETWORKS = ("backbone", "student")
"""Settings that say a run's own network; without one, a training goes on with its parent's."""


class Wanted(NamedTuple):
    """What is asked for of one run."""

    node: Node
    settings: dict[str, Any]
    """All of them, as plain values."""
    networks: tuple[Any, ...]
    """Settings of its own backbone and of those of its parents."""


class Estimate(NamedTuple):
    """What the runs of a plan will take that are not finished."""

    runs: int
    finished: int
    seconds: float
    """One after the other, of those that something is known of."""
    timed: int
    """So many."""
    untimed: Mapping[str, int]
    """The others, by their names."""
    bytes: int
    sized: int
    """Runs of the size of measured ones."""
    computed: int
    """Runs whose size follows from their parameters."""
    unsized: Mapping[str, int]

    def lines(self) -> list[str]:
        """For a person, of 79 columns at most."""
        todo = self.runs - self.finished
        lines = [f"{self.finished} of {self.runs} runs are finished"] if self.finished else []
        if not todo:
            return lines
        time = "not known, for no run like these was measured"
        if self.timed:
            whole = "" if self.timed == todo else f" for {self.timed} of {todo} runs"
            time = f"{about(self.seconds)}{whole}, one after the other, as runs like them took"
            time += _others(self.untimed)
        disk = "not known"
        if self.sized + self.computed:
            how = [
                f"{self.sized} as runs like them" if self.sized else "",
                f"{self.computed} by their parameters" if self.computed else "",
            ]
            ways = " and ".join(filter(None, how))
            disk = f"about {told_size(self.bytes)} ({ways}){_others(self.unsized)}; beside packs "
            disk += "and banks, which runs share"
        return [
            *lines,
            *(
                line
                for what, text in (("time", time), ("disk", disk))
                for line in wrap(f"{what}: {text}", WIDTH, subsequent_indent="      ")
            ),
        ]


def estimate(plan: Plan, stages: Mapping[str, type[Settings]], *, runs: Path) -> Estimate:
    """Compares what is planned with what was done.

    Like are runs of one stage and network whose parents' networks and image size are alike. Their
    time goes by the images that they see; where a plan counts in passes, it goes by these, among
    runs of the same data and labels.

    Args:
        plan: The plan.
        stages: Settings class of every stage, by name.
        runs: Root of all runs; it may be missing.
    """
    seen = list(measured(runs, {node.stage for node in plan.runs}))
    known = {one.key for one in seen}
    by_likeness: dict[str, list[Measured]] = defaultdict(list)
    for done in seen:
        by_likeness[_likeness(done.stage, done.networks)].append(done)
    wanted = [one for one in _wanted(plan, stages) if one.node.key not in known]
    untimed, unsized = Counter[str](), Counter[str]()
    seconds, bytes_, timed, sized, computed = 0.0, 0, 0, 0, 0
    parameters: dict[str, int | None] = {}
    for one in wanted:
        like = by_likeness[_likeness(one.node.stage, one.networks)]
        like = [other for other in like if _size(other.settings) == _size(one.settings)]
        took = _seconds(one.settings, like)
        if took is None:
            untimed[one.node.name] += 1
        else:
            seconds, timed = seconds + took, timed + 1
        if like:
            bytes_, sized = bytes_ + round(fmean(other.bytes for other in like)), sized + 1
        elif room := _room(one, parameters):
            bytes_, computed = bytes_ + room, computed + 1
        else:
            unsized[one.node.name] += 1
    return Estimate(
        runs=len(plan.runs),
        finished=len(plan.runs) - len(wanted),
        seconds=seconds,
        timed=timed,
        untimed=untimed,
        bytes=bytes_,
        sized=sized,
        computed=computed,
        unsized=unsized,
    )


def _others(counts: Mapping[str, int]) -> str:
    if not counts:
        return ""
    told = ", ".join(f"{count} {name}" for name, count in counts.items())
    return f"; not known of {sum(counts.values())} ({told})"


def _wanted(plan: Plan, stages: Mapping[str, type[Settings]]) -> Iterator[Wanted]:
    networks: dict[str, Any] = {}
    for node in plan.runs:
        nowhere: dict[str, Path] = defaultdict(lambda: Path("pending"))
        settings = stages[node.stage].model_validate(node.recipe(nowhere)).model_dump(mode="json")
        parents = [networks[parent.key] for parent in node.parents.values()]
        own = next((settings[key] for key in NETWORKS if settings.get(key)), None)
        if own is None and "plan" in settings and parents:
            own = parents[0]
        networks[node.key] = own
        yield Wanted(node, settings, (own, *parents))


def _likeness(stage: str, networks: Iterable[Any]) -> str:
    return json.dumps([stage, *networks], sort_keys=True)


def _size(settings: Mapping[str, Any]) -> Any:
    """Of the images, as far as the settings say it."""
    return settings.get("size") or (settings.get("data") or {}).get("size")


def _seconds(settings: Mapping[str, Any], like: Iterable[Measured]) -> float | None:
    """How long a run takes, as runs like it did; None where they tell nothing."""
    plan = settings.get("plan")
    alike = [one for one in like if one.seconds is not None]
    if plan is None:
        return fmean(one.seconds or 0.0 for one in alike) if alike else None
    if plan["steps"]:
        paces = [_pace(one, one.summary.get("steps"), batched=True) for one in alike]
        work = plan["steps"] * plan["batch_size"]
    else:
        same = [one for one in alike if _same_images(one.settings, settings)]
        paces = [_pace(one, one.summary.get("epochs"), batched=False) for one in same]
        work = plan["epochs"]
    known = [pace for pace in paces if pace is not None]
    return fmean(known) * work if known else None


def _pace(one: Measured, units: Any, *, batched: bool) -> float | None:
    """Seconds of an image, or of a pass."""
    batch = (one.settings.get("plan") or {}).get("batch_size") if batched else 1
    return (one.seconds or 0.0) / (units * batch) if units and batch else None


def _same_images(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return all(one.get(key) == other.get(key) for key in ("data", "split", "labels"))


def _room(wanted: Wanted, parameters: dict[str, int | None]) -> int | None:
    """Bytes of a training's checkpoints; None of other runs, and where the network is not known."""
    plan, network = wanted.settings.get("plan"), wanted.networks[0]
    if plan is None or network is None:
        return None
    key = json.dumps(network, sort_keys=True)
    if key not in parameters:
        parameters[key] = _parameters(network)
    count = parameters[key]
    states = STATES.get(plan["optimizer"]["kind"], max(STATES.values()))
    return None if count is None else BYTES * count * (COPIES + KEPT * states)


def _parameters(network: Mapping[str, Any]) -> int | None:
    """Of a backbone for photographs, counted without making it."""
    from understudy.models.network import NetworkSettings

    described = {"backbone": network, "channels": 3, "size": 32, "classes": ("one", "other")}
    try:
        settings = NetworkSettings.model_validate(described)
        with torch.device("meta"):
            backbone = settings.backbone.build(3)
    except (UnderstudyError, ValidationError):
        return None
    return sum(weights.numel() for weights in backbone.parameters())
