"""What of a folder of runs can go: nothing that a study, or a run that stays, still needs."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from understudy.results.formats import plural
from understudy.results.inventory import Inventory, Stored


class Spare(NamedTuple):
    """One thing that can go."""

    path: Path
    what: str
    """run, pack, bank, or partial"""
    size: int
    reason: str
    lock: Path | None
    """Taken while it is removed."""


class Proposal(NamedTuple):
    """What can go, and what is kept although it looks as if it could."""

    spare: tuple[Spare, ...]
    kept: tuple[str, ...]
    """Sentences."""

    @property
    def size(self) -> int:
        """Bytes of all that can go."""
        return sum(one.size for one in self.spare)


def proposal(found: Inventory, *, unused: bool) -> Proposal:
    """What can go.

    Args:
        found: What lies in the folder.
        unused: Propose finished runs that no study names, too.
    """
    going = _going(found, unused=unused)
    staying = [run for run in found.runs if run not in going]
    packs = _packs(found, staying)
    left = [
        Spare(one.path, "partial", one.size, "left by a process that was killed", one.lock)
        for one in found.left
        if not any(one.path.is_relative_to(run.record.path) for run in going)
    ]
    runs = [
        Spare(run.record.path, "run", run.size, _reason(run), run.record.path / ".lock")
        for run in going
    ]
    return Proposal(
        (*runs, *packs, *_banks(found, staying), *left), tuple(_kept(found, staying, unused=unused))
    )


def needed(kept: Iterable[str], parents: Mapping[str, Iterable[str]]) -> set[str]:
    """The runs that are kept with all that they build on, at any depth.

    Args:
        kept: Identities.
        parents: Identities of the parents by identity.
    """
    found: set[str] = set()
    waiting = list(kept)
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.add(one)
            waiting += parents.get(one, ())
    return found


def _going(found: Inventory, *, unused: bool) -> list[Stored]:
    if _unreadable(found):
        return []
    free = [run for run in found.runs if _is_free(run, unused=unused)]
    names = {id(run) for run in free}
    parents: dict[str, set[str]] = {}
    for run in found.runs:  # two folders of one identity: what either needs is needed
        parents.setdefault(run.identity, set()).update(run.mentions or ())
    kept = [run.identity for run in found.runs if id(run) not in names]
    asked = [identity for study in found.studies for identity in study.mentions]
    stay = needed([*kept, *asked], parents)
    return [run for run in free if run.identity not in stay]


def _is_free(run: Stored, *, unused: bool) -> bool:
    """Whether nothing speaks for the run itself; a run that stays may yet build on it."""
    may_go = ("unfinished", "finished", "damaged") if unused else ("unfinished",)
    return run.is_own and not run.studies and run.state in may_go


def _reason(run: Stored) -> str:
    if run.state == "unfinished":
        return "not finished, in no study"
    return f"{run.state}, in no study"


def _packs(found: Inventory, staying: Iterable[Stored]) -> list[Spare]:
    """The packs of no run and no study; none where a run does not tell yet which it uses."""
    used = {run.pack for run in staying}.union(*(study.packs for study in found.studies))
    if None in used or _unreadable(found):
        return []
    return [
        Spare(one.path, "pack", one.size, "nothing uses it", one.path.with_suffix(".lock"))
        for one in found.shared
        if one.what == "pack" and one.path.name not in used and not one.path.is_symlink()
    ]


def _banks(found: Inventory, staying: Iterable[Stored]) -> list[Spare]:
    """The banks of teachers that no longer lie here, or go; none where a run cannot be read."""
    teachers = {weights for run in staying for weights in run.weights}
    if _unreadable(found):
        return []
    return [
        Spare(one.path, "bank", one.size, "its teacher is gone", one.path.with_suffix(".lock"))
        for one in found.shared
        if one.what == "bank"
        and one.weights
        and one.weights not in teachers
        and not one.path.is_symlink()
    ]


def _unreadable(found: Inventory) -> list[str]:
    """What might need any run at all."""
    studies = [f"studies/{s.folder}: {s.unreadable}" for s in found.studies if s.unreadable]
    runs = [f"{r.record.id}: settings cannot be read" for r in found.runs if r.mentions is None]
    return [*studies, *runs]


def _kept(found: Inventory, staying: Iterable[Stored], *, unused: bool) -> Iterable[str]:
    yield from (f"{one} So no run and no pack can go." for one in _unreadable(found))
    states = [run.state for run in staying if run.studies]
    waiting = sum(state in ("unfinished", "failed") for state in states)
    if waiting:
        yield f"Kept: {plural(waiting, 'unfinished run')} that a study goes on with."
    alone = sum(run.state == "finished" and not run.studies for run in staying)
    if alone and not unused:
        yield f"Kept: {plural(alone, 'finished run')} that no study names (--unused proposes them)."
