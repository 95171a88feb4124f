"""A study spread out over its seeds and axes: settings filled in, runs named, nothing checked."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from understudy.core.errors import UsageError
from understudy.core.overrides import overlaid
from understudy.core.settings import Settings
from understudy.core.shipped import found
from understudy.core.wording import Location, dotted, nearest
from understudy.core.yaml import line_of, read_yaml
from understudy.studies.filling import Filling, gathered, runs_in, without
from understudy.studies.settling import changes_for, laid_over
from understudy.studies.study import Study
from understudy.studies.where import WHERE, is_done

RECIPE = "recipe"
"""The key of a stage that names a recipe, over which its other settings are laid."""

DraftKey = tuple[str, frozenset[tuple[str, int]]]
"""A node, and which choice of each axis (by position) it or a run before it depends on."""


class Absent(NamedTuple):
    """A node that is not done, and the choices that decide it."""

    positions: frozenset[tuple[str, int]]


@dataclass(frozen=True)
class Draft:
    """One node for one choice of all that it depends on."""

    node: str
    stage: str
    choices: Mapping[str, Any]
    """Seed and axis values that it, or a run that it builds on, depends on."""
    settings: Mapping[str, Any]
    """As given; `@name` where a run is meant."""
    parents: Mapping[Location, DraftKey]
    filling: Filling


class Drafts:
    """All drafts of a study, each after those that it builds on.

    Args:
        study: What to spread out.
        stages: Settings class of every stage, by name.
    """

    def __init__(self, study: Study, stages: Mapping[str, type[Settings]]) -> None:
        self._study, self._stages = study, stages
        self._values: dict[str, tuple[Any, ...]] = {"seed": study.seeds, **study.axes}
        self._done: dict[DraftKey, DraftKey | Absent | None] = {}
        self._deciding: dict[str, set[frozenset[str]]] = {}
        """By node, the axes that decided it before: of equal values, it is equal."""
        self.found: dict[DraftKey, Draft] = {}
        self.mistakes: list[str] = []
        for positions in itertools.product(*(range(len(v)) for v in self._values.values())):
            chosen = dict(zip(self._values, positions, strict=True))
            for node in study.stages:
                self._visit(node, chosen, behind=())

    def sentence(self, draft: Draft, location: Location, text: str) -> str:
        """A mistake in a draft's settings, at the place where the user wrote the value."""
        asked = [(), *((key,) for key in self._study.machine)] if self._study.machine else []
        if location[:1] == ("machine",) and location[1:2] in asked:
            return f"{dotted(location)}{text}"
        source = draft.filling.source(location)
        if source is None:
            source, place = ("stages", draft.node, *location), self._study.stages
            line = line_of(place, (draft.node, *location))
        else:
            line = line_of(self._study.parameters, source)
        return f"{dotted(source)}{text}{f' (line {line})' if line else ''}"

    def _visit(
        self, node: str, chosen: Mapping[str, int], behind: tuple[str, ...]
    ) -> DraftKey | Absent | None:
        """Drafts a node after the nodes it names; None where that cannot be."""
        if node in behind:
            circle = (*behind[behind.index(node) :], node)
            first = circle.index(min(circle))  # one sentence, whichever node was visited first
            turned = (*circle[first:-1], *circle[:first], circle[first])
            self.mistakes.append(f"stages  wait for each other: {' -> '.join(turned)}")
            return None
        for axes in (frozenset(chosen), *self._deciding.get(node, ())):
            place = (node, frozenset((axis, chosen[axis]) for axis in axes))
            if place in self._done:
                return self._done[place]
        drafted = self._drafted(node, chosen, behind)
        positions = frozenset(chosen.items())
        if drafted is not None:
            positions = drafted.positions if isinstance(drafted, Absent) else drafted[1]
            self._deciding.setdefault(node, set()).add(frozenset(axis for axis, _ in positions))
        self._done[node, positions] = drafted
        return drafted

    def _drafted(
        self, node: str, chosen: Mapping[str, int], behind: tuple[str, ...]
    ) -> DraftKey | Absent | None:
        stage, where = self._study.stages[node]["stage"], self._study.stages[node].get(WHERE, {})
        if stage not in self._stages:
            self.mistakes.append(
                f"stages.{node}.stage = {stage}  unknown; {nearest(stage, list(self._stages))}"
            )
            return None
        positions = {axis: chosen[axis] for axis in where}
        if not is_done(where, {axis: self._values[axis][at] for axis, at in positions.items()}):
            return Absent(frozenset(positions.items()))
        filling, filled = self._filled(node, stage, chosen)
        lengths = {axis: len(values) for axis, values in self._values.items()}
        settings, of_each, mistakes = gathered(filled, lengths)
        parents = {
            location: self._parent(
                node, location, name, {**chosen, **of_each.get(location, {})}, behind
            )
            for location, name in runs_in(settings)
            if name in self._study.stages
            or not any(of_each.get(location, {}).values())  # told once
        }
        positions |= {axis: chosen[axis] for axis in filling.used}
        for location, parent in parents.items():
            if parent is None:
                continue
            over = of_each.get(location, {})
            inherited = dict(parent.positions if isinstance(parent, Absent) else parent[1])
            positions |= {axis: at for axis, at in inherited.items() if axis not in over}
            if isinstance(parent, Absent) or any(over.values()):
                continue
            name = parent[0]
            mistakes += [
                (location, f" = @{name}[{', '.join(over)}]  {name} is the same for every {axis}")
                for axis in over
                if axis not in inherited
            ]
        absent = [place for place, parent in parents.items() if isinstance(parent, Absent)]
        left = without(settings, absent)
        if left is None:
            return Absent(frozenset(positions.items()))
        draft = Draft(
            node=node,
            stage=stage,
            choices={a: v[positions[a]] for a, v in self._values.items() if a in positions},
            settings=left.settings,
            parents={
                left.places.get(place, place): parent
                for place, parent in parents.items()
                if parent is not None and not isinstance(parent, Absent)
            },
            filling=filling,
        )
        wrong = [*filling.mistakes, *mistakes]
        self.mistakes += [self.sentence(draft, *mistake) for mistake in wrong]
        key = (node, frozenset(positions.items()))
        self.found.setdefault(key, draft)
        return key

    def _filled(
        self, node: str, stage: str, chosen: Mapping[str, int]
    ) -> tuple[Filling, dict[str, Any]]:
        choices = {axis: values[chosen[axis]] for axis, values in self._values.items()}
        filling = Filling(self._study.parameters, choices)
        fields = self._stages[stage].model_fields
        given = {"seed": "${seed}", **self._study.stages[node]}
        wanted = {
            key: value
            for key, value in given.items()
            if key in fields or (key in self._study.stages[node] and key not in ("stage", WHERE))
        }
        filled = self._over_recipe(node, stage, filling.fill(wanted))
        if changes := changes_for(self._study.settled, node, choices):
            try:
                filled = laid_over(self._stages[stage], filled, changes)
            except UsageError as error:
                self.mistakes.append(f"stages.{node}.{error}")
        if self._study.machine and "machine" in fields:
            filled = overlaid(filled, {"machine": self._study.machine})
        return filling, filled

    def _over_recipe(self, node: str, stage: str, filled: dict[str, Any]) -> dict[str, Any]:
        """The settings laid over those of the recipe that they name, as the command lays words."""
        if RECIPE not in filled:
            return filled
        own = {key: value for key, value in filled.items() if key != RECIPE}
        try:
            base = read_yaml(found(str(filled[RECIPE]), folder=stage, what=f"{stage} recipe"))
            if (other := base.pop("stage", stage)) != stage:
                raise UsageError(f"is a recipe of {other}, not of {stage}")
            return overlaid(base, own)
        except UsageError as error:
            self.mistakes.append(f"stages.{node}.{RECIPE} = {filled[RECIPE]}  {error}")
            return own

    def _parent(
        self,
        node: str,
        location: Location,
        name: str,
        chosen: Mapping[str, int],
        behind: tuple[str, ...],
    ) -> DraftKey | Absent | None:
        if name in self._study.stages:
            return self._visit(name, chosen, (*behind, node))
        phrase = nearest(name, list(self._study.stages))
        place = dotted(("stages", node, *location))
        self.mistakes.append(f"{place} = @{name}  is no stage of this study; {phrase}")
        return None
