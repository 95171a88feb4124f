"""A study as a graph of runs: every seed and axis value, each equal run once; no data is read."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import wrap
from typing import Any

from understudy.core.errors import UsageError
from understudy.core.identity import canonical, digest, parents_of
from understudy.core.settings import Settings, mistakes_in
from understudy.core.wording import Location, dotted, headed
from understudy.studies.drafts import Draft, DraftKey, Drafts
from understudy.studies.study import Study

COLUMNS = 80  # of a terminal


@dataclass(frozen=True)
class Parent:
    """Stands in a node's settings where the directory of another node's run will stand."""

    node: str
    key: str


@dataclass(frozen=True)
class Node:
    """One run that a study asks for; nodes with the same key are the same run."""

    name: str
    stage: str
    seed: int | None
    """The study's seed that it depends on, itself or through its parents."""
    axes: Mapping[str, Any]
    """The axis values that it depends on, itself or through its parents."""
    settings: Mapping[str, Any]
    """As given, with `Parent` where a run is meant."""
    parents: Mapping[str, Parent]
    """By dotted field, such as `models[0]`."""
    key: str
    """16 hexadecimal digits of the validated settings and the parents' keys."""
    sources: Mapping[Location, str] = field(default_factory=dict)
    """The study's parameter that a setting came from, by its location."""

    def recipe(self, runs: Mapping[str, Path]) -> dict[str, Any]:
        """The settings for a stage, with the directories of the parents' finished runs.

        Args:
            runs: Directory of each run, by key.
        """
        recipe: dict[str, Any] = _placed(self.settings, runs)
        return recipe


@dataclass(frozen=True)
class Plan:
    """All nodes of a study, each after those that it builds on."""

    study: Study
    nodes: tuple[Node, ...]
    stages: tuple[str, ...]
    """All stages there are, in their usual order."""

    @property
    def runs(self) -> tuple[Node, ...]:
        """The first node of each key: what has to be done."""
        first: dict[str, Node] = {}
        for node in self.nodes:
            first.setdefault(node.key, node)
        return tuple(first.values())

    def count(self) -> str:
        """How many runs of which stage: `6 runs: 1 train, 1 pretrain, ...`."""
        counts = Counter(node.stage for node in self.runs)
        parts = [f"{counts[stage]} {stage}" for stage in self.stages if counts[stage]]
        return f"{len(self.runs)} runs: {', '.join(parts)}"  # also for 1: scripts read this line

    def lines(self) -> list[str]:
        """The graph for a person, one line for each stage of the file, and the count."""
        names = list(dict.fromkeys(node.name for node in self.nodes))
        nowhere = [name for name in self.study.stages if name not in names]
        width = max(map(len, [*names, *nowhere]))
        of_each = [[node for node in self.nodes if node.name == name] for name in names]
        lines = [line for nodes in of_each for line in self._lines(nodes, width)]
        return [*lines, *(f"{name:{width}}  nowhere" for name in nowhere), self.count()]

    def _lines(self, nodes: Sequence[Node], width: int) -> list[str]:
        first = nodes[0]
        own = {node.key for node in self.runs if node.name == first.name}
        shared = "" if own else f"same as {self._name_of(first.key)}"
        after = ", ".join(dict.fromkeys(p.node for node in nodes for p in node.parents.values()))
        head = f"{first.name:{width}}  {first.stage:8}  "
        count = f"{len({node.key for node in nodes})} x"
        parts = [count, shared or _spread(nodes), f"after {after}" if after else ""]
        told = "  ".join(part for part in parts if part)
        return wrap(told, COLUMNS, initial_indent=head, subsequent_indent=" " * (len(head) + 2))

    def _name_of(self, key: str) -> str:
        return next(node.name for node in self.nodes if node.key == key)


def plan(
    study: Study, stages: Mapping[str, type[Settings]], *, mistakes: Sequence[str] = ()
) -> Plan:
    """Spreads a study out over its seeds and axes, and checks the settings of every run.

    Args:
        study: The study, configured.
        stages: Settings class of every stage by name, in their usual order.
        mistakes: What is known to be wrong before, told together with what is found here.

    Raises:
        UsageError: References that lead nowhere or in a circle, settings that are not allowed;
            every mistake of every stage is named once.
    """
    drafts = Drafts(study, stages)
    wrong = [
        sentence
        for draft in drafts.found.values()
        if not draft.filling.mistakes
        for sentence in _wrong(draft, drafts, stages[draft.stage])
    ]
    if found := [*mistakes, *drafts.mistakes, *wrong]:
        raise UsageError(headed(study.origin, found))
    if not drafts.found:
        raise UsageError(f"{study.origin}: no stage is done under these values; see their `where`.")

    nodes: dict[DraftKey, Node] = {}
    for key, draft in drafts.found.items():
        nodes[key] = _node(draft, nodes, stages[draft.stage])
    return Plan(study=study, nodes=tuple(nodes.values()), stages=tuple(stages))


def _wrong(draft: Draft, drafts: Drafts, kind: type[Settings]) -> list[str]:
    mistakes = mistakes_in(kind, draft.settings)
    if mistakes:
        return [drafts.sentence(draft, mistake.location, mistake.text) for mistake in mistakes]
    takes = parents_of(kind.model_validate(draft.settings))
    return [
        drafts.sentence(draft, location, f" = @{node}  takes no run, only a value")
        for location, (node, _) in draft.parents.items()
        if dotted(location) not in takes
    ]


def _node(draft: Draft, nodes: Mapping[DraftKey, Node], kind: type[Settings]) -> Node:
    parents = {
        location: Parent(nodes[key].name, nodes[key].key) for location, key in draft.parents.items()
    }
    by_field = {dotted(location): parent for location, parent in parents.items()}
    settings = kind.model_validate(draft.settings)
    seed = draft.choices.get("seed")
    return Node(
        name=draft.node,
        stage=draft.stage,
        seed=seed if seed is not None else getattr(settings, "seed", None),
        axes={axis: value for axis, value in draft.choices.items() if axis != "seed"},
        settings=_with_parents(draft.settings, parents, ()),
        parents=by_field,
        key=digest(canonical(settings, {name: p.key for name, p in by_field.items()})),
        sources=draft.filling.sources,
    )


def _with_parents(value: Any, parents: Mapping[Location, Parent], location: Location) -> Any:
    if isinstance(value, Mapping):
        return {k: _with_parents(v, parents, (*location, k)) for k, v in value.items()}
    if isinstance(value, list):
        return [_with_parents(v, parents, (*location, i)) for i, v in enumerate(value)]
    return parents.get(location, value)


def _placed(value: Any, runs: Mapping[str, Path]) -> Any:
    if isinstance(value, Mapping):
        return {key: _placed(inner, runs) for key, inner in value.items()}
    if isinstance(value, list):
        return [_placed(inner, runs) for inner in value]
    return str(runs[value.key]) if isinstance(value, Parent) else value


def _spread(nodes: Sequence[Node]) -> str:
    """Over what a stage is spread: `seeds 1, 2, 3 x 5 depth`."""
    seeds = list(dict.fromkeys(node.seed for node in nodes if node.seed is not None))
    axes = dict.fromkeys(axis for node in nodes for axis in node.axes)
    counts = {axis: len({repr(node.axes.get(axis)) for node in nodes}) for axis in axes}
    parts = [f"{count} {axis}" for axis, count in counts.items() if count > 1]
    if seeds:
        shown = ", ".join(map(str, seeds))
        words = f"seed{'s' if len(seeds) > 1 else ''} {shown}"
        parts.insert(0, words if len(words) <= 24 else f"{len(seeds)} seeds")
    return " x ".join(parts)
