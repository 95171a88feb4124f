"""`${parameter}` and `@run` in the settings of a stage: what they stand for, and where from."""

import itertools
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from understudy.core.wording import Location, nearest

REFERENCE = re.compile(r"\$\{([^{}]*)\}")
RUN = re.compile(r"@([A-Za-z0-9][A-Za-z0-9_-]*)")
RUN_OF_EACH = re.compile(r"@([A-Za-z0-9][A-Za-z0-9_-]*)\[([^\[\]]*)\]")


class Filling:
    """Fills in the references of one stage and remembers what it read.

    Args:
        parameters: Values that a reference may name; they may hold references themselves.
        choices: The seed and the value of each axis at hand; they stand before parameters.
    """

    def __init__(self, parameters: Mapping[str, Any], choices: Mapping[str, Any]) -> None:
        self._parameters, self._choices = parameters, choices
        self.used: set[str] = set()
        """Which of the choices were read."""
        self.sources: dict[Location, str] = {}
        """The parameter that a value came from, as the user writes it."""
        self.mistakes: list[tuple[Location, str]] = []

    def fill(self, value: Any, location: Location = (), behind: tuple[str, ...] = ()) -> Any:
        """The value with every reference replaced; a reference alone keeps the type."""
        if isinstance(value, Mapping):
            return {key: self.fill(inner, (*location, key), behind) for key, inner in value.items()}
        if isinstance(value, list | tuple):
            return [
                self.fill(inner, (*location, position), behind)
                for position, inner in enumerate(value)
            ]
        if not isinstance(value, str):
            return value
        alone = REFERENCE.fullmatch(value)
        if alone:
            self.sources[location] = alone[1]
            return self._looked_up(alone[1], location, behind)
        return REFERENCE.sub(lambda found: self._as_text(found[1], location, behind), value)

    def source(self, location: Location) -> Location | None:
        """Where the parameter lies that a value came from; None for a value of the stage itself."""
        return written_at(self.sources, location)

    def _as_text(self, path: str, location: Location, behind: tuple[str, ...]) -> str:
        value = self._looked_up(path, location, behind)
        if isinstance(value, dict | list):
            self._refuse(location, path, "is more than one value, and cannot stand inside a text")
        return str(value)

    def _looked_up(self, path: str, location: Location, behind: tuple[str, ...]) -> Any:
        if path in behind:
            self._refuse(location, path, f"refers to itself: {' -> '.join((*behind, path))}")
            return None
        first = path.split(".")[0]
        if first in self._choices:
            self.used.add(first)
        here: Any = {**self._parameters, **self._choices}
        for part in path.split("."):
            alone = REFERENCE.fullmatch(here) if isinstance(here, str) else None
            if alone:
                here = self._looked_up(alone[1], location, (*behind, path))
            known = {str(key): inner for key, inner in _parts(here)}
            if part not in known:
                self._refuse(location, path, f"is not known; {nearest(part, list(known))}")
                return None
            here = known[part]
        return self.fill(here, location, (*behind, path))

    def _refuse(self, location: Location, path: str, reason: str) -> None:
        self.mistakes.append((location, f"  ${{{path}}} {reason}"))


def written_at(sources: Mapping[Location, str], location: Location) -> Location | None:
    """Where the value of a setting is written, outside its stage; None where inside.

    Args:
        sources: The parameter that each value came from, by the setting's location.
        location: The setting's, or of something inside or around it.
    """
    for length in range(len(location), 0, -1):
        if location[:length] in sources:
            parts = sources[location[:length]].split(".")
            path = [int(part) if part.isdigit() else part for part in parts]
            return (*path, *location[length:])
    return None


def references_in(value: Any) -> Iterator[str]:
    """The paths of all `${...}` inside."""
    if isinstance(value, str):
        yield from REFERENCE.findall(value)
    for _, inner in _parts(value):
        yield from references_in(inner)


def runs_in(value: Any, location: Location = ()) -> Iterator[tuple[Location, str]]:
    """Where `@name` stands, and the name."""
    if isinstance(value, str) and (named := RUN.fullmatch(value)):
        yield location, named[1]
    for part, inner in _parts(value):
        yield from runs_in(inner, (*location, part))


class Gathered(NamedTuple):
    """Settings in which `@name[axis, ...]`, an entry of a list, became the run of every value."""

    settings: Any
    positions: dict[Location, dict[str, int]]
    """Where such a run stands now: which value of each of its axes."""
    mistakes: list[tuple[Location, str]]


def gathered(value: Any, lengths: Mapping[str, int], location: Location = ()) -> Gathered:
    """Gathers the runs of all values of some axes: `members: ['@teacher[seed]']`.

    Args:
        value: Settings.
        lengths: How many values each axis has; the seeds are one.
        location: Where they stand.
    """
    if isinstance(value, str) and (found := RUN_OF_EACH.fullmatch(value)):
        several = " stands for several runs: make it an entry of a list"
        return Gathered(value, {}, [(location, f" = {found[0]}  {several.strip()}")])
    if isinstance(value, Mapping):
        inner = {key: gathered(each, lengths, (*location, key)) for key, each in value.items()}
        settings: Any = {key: each.settings for key, each in inner.items()}
        return _joined(settings, list(inner.values()))
    if not isinstance(value, list | tuple):
        return Gathered(value, {}, [])
    entries: list[Any] = []
    parts: list[Gathered] = []
    for each in value:
        here = (*location, len(entries))
        named = RUN_OF_EACH.fullmatch(each) if isinstance(each, str) else None
        if named is None:
            parts.append(gathered(each, lengths, here))
            entries.append(parts[-1].settings)
            continue
        axes = [axis.strip() for axis in named[2].split(",")]
        if objections := [(here, f" = {named[0]}  {one}") for one in _unknown(axes, lengths)]:
            parts.append(Gathered(each, {}, objections))
            continue
        for positions in itertools.product(*(range(lengths[axis]) for axis in axes)):
            spot = (*location, len(entries))
            parts.append(Gathered(None, {spot: dict(zip(axes, positions, strict=True))}, []))
            entries.append(f"@{named[1]}")
    return _joined(entries, parts)


def _unknown(axes: Sequence[str], lengths: Mapping[str, int]) -> Iterator[str]:
    """What is wrong with the names in brackets."""
    for axis in dict.fromkeys(axes):
        if axis not in lengths:
            yield f"names no axis; {nearest(axis, list(lengths))}"
        elif axes.count(axis) > 1:
            yield f"names {axis} twice"


class Left(NamedTuple):
    """Settings from which some runs were left out."""

    settings: Any
    places: dict[Location, Location]
    """Where a run stands now, by where it stood."""


def without(settings: Any, absent: Collection[Location]) -> Left | None:
    """Settings without some of the runs in their lists.

    Args:
        settings: With `@name` where a run is meant.
        absent: Where the runs stand that are not there.

    Returns:
        None where one of them stands alone, or a list has no others: such settings ask for nothing.
    """
    if not absent:
        return Left(settings, {})
    lists = {place[:-1] for place in absent if place and isinstance(place[-1], int)}
    if any(not isinstance(place[-1], int) for place in absent):
        return None
    left = _pruned(settings, absent, ())
    if any(not _at(left, place) for place in lists):
        return None
    kept = [place for place, _ in runs_in(settings) if place not in absent]
    return Left(left, dict(zip(kept, (place for place, _ in runs_in(left)), strict=True)))


def _pruned(value: Any, absent: Collection[Location], location: Location) -> Any:
    inner = {
        part: _pruned(each, absent, (*location, part))
        for part, each in _parts(value)
        if (*location, part) not in absent
    }
    if isinstance(value, Mapping):
        return inner
    return list(inner.values()) if isinstance(value, list | tuple) else value


def _at(value: Any, location: Location) -> Any:
    for part in location:
        value = value[part]
    return value


def _joined(settings: Any, parts: list[Gathered]) -> Gathered:
    positions = {place: at for part in parts for place, at in part.positions.items()}
    return Gathered(settings, positions, [one for part in parts for one in part.mistakes])


def _parts(value: Any) -> list[tuple[int | str, Any]]:
    if isinstance(value, Mapping):
        return list(value.items())
    return list(enumerate(value)) if isinstance(value, list | tuple) else []
