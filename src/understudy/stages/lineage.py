"""What a network was made from: its own run, its teacher's, the pretraining of that teacher."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from understudy.core.errors import StorageError, UnderstudyError
from understudy.core.files import read_json
from understudy.core.yaml import read_yaml

ROLES = {"teacher": "taught by", "start": "started from", "members": "averages"}
ENTRY = re.compile(r"(\w+)\[(\d+)\]")  # `members[0]`


class Ancestor(NamedTuple):
    """One run of the line."""

    role: str
    """What it was to the one before: "", "teacher", "start", "members"."""
    run: str
    """`stage/name-identity`."""
    summary: Mapping[str, Any]
    """Empty where the run is no longer there."""
    settings: Mapping[str, Any]
    """As its config.yaml states them; empty likewise."""

    @property
    def foreign_weights(self) -> str | None:
        """What it began with that no run of ours made; "" where that has no name; else None.

        A summary says so under `weights`; a setting that names weights or a file says so too.
        """
        if (told := self.summary.get("weights")) is not None:
            return str(told.get("origin", "")) if isinstance(told, Mapping) else str(told)
        start = self.settings.get("start")
        if start is not None and "start" not in self.summary.get("parents", {}):
            return Path(str(start)).name if isinstance(start, str) else ""
        for part in self.settings.values():
            if isinstance(part, Mapping) and (part.get("weights") or part.get("pretrained")):
                named = part.get("weights") or part.get("name")
                return Path(named).name if isinstance(named, str) else ""
        return None

    @property
    def licence(self) -> str:
        """Of the foreign weights, as far as the run knows it."""
        told = self.summary.get("weights")
        found = told.get("licence") if isinstance(told, Mapping) else None
        return str(found) if found else "unknown"


def lineage(run: Path) -> list[Ancestor]:
    """A finished run and everything that it was made from, nearest first."""
    return list(_line(run, role="", name=f"{run.parent.name}/{run.name}", seen=set()))


def parent_place(run: Path, field: str) -> Path | None:
    """Where a parent of a run lies: beside it, or where its settings say; None where it is gone.

    Args:
        run: A finished run.
        field: Of its settings: "teacher", "start", "model", "members[0]".
    """
    summary, settings = _read(run)
    told = summary.get("parents", {}).get(field, {})
    setting, position = _entry(field)
    named = settings.get(setting)
    if position is not None:
        named = named[position] if isinstance(named, list) and position < len(named) else None
    beside = run.resolve().parent.parent / str(told.get("run", ""))
    places = [beside, *([Path(named)] if isinstance(named, str) else [])]
    return next((place for place in places if _is(place, told.get("identity"))), None)


def _line(run: Path, *, role: str, name: str, seen: set[str]) -> Iterator[Ancestor]:
    if name in seen:
        return
    seen.add(name)
    summary, settings = _read(run)
    yield Ancestor(role, name, summary, settings)
    for field, parent in summary.get("parents", {}).items():
        role, _ = _entry(field)
        if role in ROLES:
            place = parent_place(run, field)
            named = str(parent.get("run", ""))
            yield from _line(place or Path(named), role=role, name=named, seen=seen)


def _entry(field: str) -> tuple[str, int | None]:
    """`members[1]` is the second of the setting `members`."""
    found = ENTRY.fullmatch(field)
    return (found[1], int(found[2])) if found else (field, None)


def _is(place: Path, identity: object) -> bool:
    summary, _ = _read(place)
    return bool(summary) and summary.get("identity") == identity


def _read(run: Path) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    try:
        summary = read_json(run / "summary.json")
        settings = read_yaml(run / "config.yaml").get("settings", {})
    except (OSError, StorageError, UnderstudyError):
        return {}, {}
    return (summary, settings) if isinstance(summary, dict) else ({}, {})
