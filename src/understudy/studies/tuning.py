"""What a study that tunes tries before it is done: candidates, and which of them is taken."""

import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from understudy.core.errors import UsageError
from understudy.core.settings import Settings
from understudy.core.wording import headed, named, nearest, unheaded
from understudy.studies.plan import Node, Plan, plan
from understudy.studies.settling import value_at
from understudy.studies.study import Settled, Study
from understudy.studies.tune import TuneSettings, tune_of

Scores = Mapping[str, float]
"""By key of a run, what decides on validation; higher is better. What failed has none."""


class Candidate(NamedTuple):
    """One way to set the stage."""

    changes: Mapping[str, Any]
    """By dotted path; none: as it is written."""
    values: Mapping[str, str]
    """What then stands at each path of the grid."""
    node: Node


class Setting(NamedTuple):
    """Values of the axes, with all that is tried under them."""

    axes: Mapping[str, Any]
    candidates: tuple[Candidate, ...]
    """What is written comes first, then the grid in its order, each run once."""

    def taken(self, scores: Scores) -> Candidate:
        """The candidate of the highest score; of equal ones the first, and so what is written."""
        known = [one for one in self.candidates if one.node.key in scores]
        return max(known, key=lambda one: scores[one.node.key], default=self.candidates[0])


class Tuning(NamedTuple):
    """All that a study tries."""

    settings: TuneSettings
    monitor: str
    """What is looked at on validation: top1, or nll, of which less is better."""
    seed: int
    tried: tuple[Setting, ...]
    runs: tuple[Node, ...]
    """Every run that a candidate is or builds on, each after those that it builds on."""

    @property
    def as_written(self) -> tuple[Node, ...]:
        """The runs without which nothing is known of the settings as they are written."""
        return self.needed(setting.candidates[:1] for setting in self.tried)

    def needed(self, candidates: Iterable[Sequence[Candidate]]) -> tuple[Node, ...]:
        """The runs of some candidates, with what they build on."""
        by_key = {node.key: node for node in self.runs}
        wanted: set[str] = set()
        waiting = [one.node.key for some in candidates for one in some]
        while waiting:
            key = waiting.pop()
            if key not in wanted:
                wanted.add(key)
                waiting += [parent.key for parent in by_key[key].parents.values()]
        return tuple(node for node in self.runs if node.key in wanted)

    def chosen(self, scores: Scores) -> tuple[Setting, ...]:
        """The settings that are tuned: the `best` of those as written, or all."""
        if self.settings.best is None:
            return self.tried
        worst = float("-inf")
        ranked = sorted(
            self.tried, key=lambda one: scores.get(one.candidates[0].node.key, worst), reverse=True
        )
        kept = ranked[: self.settings.best]
        return tuple(setting for setting in self.tried if setting in kept)

    def settled(self, scores: Scores, among: Sequence[Setting]) -> tuple[Settled, ...]:
        """What stands in place of what is written, where another candidate was better."""
        return tuple(
            Settled(self.settings.stage, setting.axes, taken.changes)
            for setting in among
            if (taken := setting.taken(scores)).changes
        )

    def lines(self, planned: Plan) -> list[str]:
        """For a person, before anything is done."""
        among = self.settings.best or len(self.tried)
        ranked = sorted((len(setting.candidates) for setting in self.tried), reverse=True)
        done = {node.key for node in planned.runs}
        once = {node.key for node in self.as_written} - done
        further = len(once) + sum(count - 1 for count in ranked[:among])
        paths = ", ".join(self.settings.grid)
        of = f"the {among} best of {len(self.tried)} settings"
        where = of if self.settings.best else _counted(len(self.tried), "setting")
        return [
            f"tune {self.settings.stage}: {paths}",
            f"  up to {ranked[0]} candidates for {where}, on validation, with seed {self.seed}:",
            f"  up to {further} more runs; then the plan above, with what was chosen",
        ]


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"each of {number} {noun}s"


def tuning_of(planned: Plan, stages: Mapping[str, type[Settings]]) -> Tuning | None:
    """All that a planned study tries; None where it tunes nothing.

    Raises:
        UsageError: What is to be tuned, or how, cannot be.
    """
    study = planned.study
    tune = tune_of(study)
    if tune is None:
        return None
    origin = f"{study.origin}, tune"
    if tune.stage not in study.stages:
        told = f"stage = {tune.stage}  is no stage of this study; "
        raise UsageError(headed(origin, [told + nearest(tune.stage, list(study.stages))]))
    kind = stages[study.stages[tune.stage]["stage"]]
    if not getattr(kind, "chooses", False):
        told = f"stage = {tune.stage}  is no training that validation images choose for"
        raise UsageError(headed(origin, [told]))

    seed = study.seeds[0] if tune.seed is None else tune.seed
    short = dataclasses.replace(study, seeds=(seed,), stages=_behind(planned, tune.stage))
    spread = [({}, plan(short, stages)), *_spread(short, tune, stages, origin)]
    found: dict[str, tuple[Mapping[str, Any], dict[str, Candidate]]] = {}
    runs: dict[str, Node] = {}
    for changes, each in spread:
        for node in each.nodes:
            runs.setdefault(node.key, node)
            if node.name == tune.stage:
                place = str(sorted((axis, named(value)) for axis, value in node.axes.items()))
                _, candidates = found.setdefault(place, (node.axes, {}))
                one = Candidate(changes, _values(kind, node, tune), node)
                candidates.setdefault(node.key, one)
    tried = tuple(Setting(axes, tuple(those.values())) for axes, those in found.values())
    nodes = [one.node for each in tried for one in each.candidates]
    if not all(getattr(_settings(kind, node), "is_scored", True) for node in nodes):
        told = (
            f"stage = {tune.stage}  has no classifier where no objective reads the student's "
            "logits, and so no accuracy to choose by; tune a stage that goes on from it, such as a "
            "`finetune` of its student"
        )
        raise UsageError(headed(origin, [told]))
    if tune.best is not None and tune.best > len(tried):
        told = f"best = {tune.best}  must be up to {len(tried)}, the settings that there are"
        raise UsageError(headed(origin, [told]))
    monitor = str(value_at(_settings(kind, tried[0].candidates[0].node), "plan.monitor"))
    return Tuning(tune, monitor, seed, tried, tuple(runs.values()))


def _behind(planned: Plan, stage: str) -> dict[str, Mapping[str, Any]]:
    """A stage and those that it builds on, as the study's file has them."""
    parents: dict[str, set[str]] = {}
    for node in planned.nodes:
        parents.setdefault(node.name, set()).update(one.node for one in node.parents.values())
    wanted, waiting = set(), [stage]
    while waiting:
        name = waiting.pop()
        if name not in wanted:
            wanted.add(name)
            waiting += parents.get(name, ())
    return {name: told for name, told in planned.study.stages.items() if name in wanted}


def _spread(
    study: Study, tune: TuneSettings, stages: Mapping[str, type[Settings]], origin: str
) -> list[tuple[Mapping[str, Any], Plan]]:
    """The plan of each point of the grid, for all values of the axes.

    Raises:
        UsageError: Some candidate's settings are not allowed; the mistakes of all are named.
    """
    plans, mistakes = [], []
    for changes in tune.points():
        settled = (Settled(tune.stage, {}, changes),)
        try:
            plans.append((changes, plan(dataclasses.replace(study, settled=settled), stages)))
        except UsageError as error:
            mistakes += unheaded(str(error))
    if mistakes:
        raise UsageError(headed(origin, mistakes))
    return plans


def _settings(kind: type[Settings], node: Node) -> Settings:
    return kind.model_validate(node.recipe(defaultdict(Path)))


def _values(kind: type[Settings], node: Node, tune: TuneSettings) -> dict[str, str]:
    settings = _settings(kind, node)
    return {path: _text(value_at(settings, path)) for path in tune.grid}


def _text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
