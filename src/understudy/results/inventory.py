"""What lies in a folder of runs: the runs with their states, what they share, what is left."""

import re
import time
from calendar import timegm
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from understudy.core.errors import UnderstudyError
from understudy.core.locks import is_claimed, is_held
from understudy.core.yaml import read_yaml
from understudy.results.disk import disk_use
from understudy.results.errors import ReportError
from understudy.results.find import is_run
from understudy.results.records import IDENTITY_LENGTH, RunRecord, read_run
from understudy.results.values import listing, mapping, read_object, text, texts, whole

NOT_STAGES = ("shared", "studies")
IDENTITY = re.compile(rf"(?<![0-9a-f])[0-9a-f]{{{IDENTITY_LENGTH}}}(?![0-9a-f])")
LEFT_SECONDS = 3600.0  # a file is written within seconds; what is older was left by a kill


class Study(NamedTuple):
    """What a study's record says of its runs."""

    folder: str
    entries: tuple[dict[str, Any], ...]
    mentions: frozenset[str]
    """Identities of the runs of others that it is made from."""
    packs: frozenset[str]
    """Keys of its images, also where none of its runs has begun."""
    unreadable: str
    """Why its record cannot be read; "" where it can."""


@dataclass(frozen=True)
class Stored:
    """One run, as it lies on the disk."""

    record: RunRecord
    identity: str
    """Twelve digits."""
    state: str
    """finished | unfinished | running | failed | damaged"""
    seed: int | None
    size: int
    """Bytes."""
    changed: float
    """Seconds since 1970 of the newest change."""
    studies: tuple[str, ...]
    """Folders of the studies that name it, or that ask for a run of its settings."""
    error: str
    """What a study tells of its failure."""
    mentions: frozenset[str] | None
    """Identities in its files, its parents' among them; None where they cannot be read."""
    pack: str | None
    """Key of its images, where it got so far as to write it."""
    weights: frozenset[str]
    """SHA-256 of its checkpoints, by which banks of its answers name it."""
    is_own: bool
    """Whether it lies where the program puts runs, under its own name and no link."""


class Shared(NamedTuple):
    """Something beside the runs."""

    path: Path
    what: str
    """pack, bank, study, or shared."""
    size: int
    changed: float
    weights: str = ""
    """Of a bank, the SHA-256 of the teacher's checkpoint."""


class Leftover(NamedTuple):
    """What a killed process left."""

    path: Path
    lock: Path | None
    """Held by the process that still writes it, if any does."""
    size: int


@dataclass(frozen=True)
class Inventory:
    """A folder of runs."""

    folder: Path
    runs: tuple[Stored, ...]
    """Newest first."""
    shared: tuple[Shared, ...]
    left: tuple[Leftover, ...]
    studies: tuple[Study, ...]

    @property
    def size(self) -> int:
        """Bytes of everything listed; what was left over lies inside it."""
        return sum(run.size for run in self.runs) + sum(one.size for one in self.shared)


def inventory(folder: Path) -> Inventory:
    """Reads a folder of runs; what cannot be read is listed as damaged.

    Raises:
        ReportError: There is no such folder.
    """
    if not folder.is_dir():
        raise ReportError(f"{folder}: no folder of runs; it does not exist.")
    studies = tuple(map(_study, sorted((folder / "studies").glob("*/study.json"))))
    found = sorted(
        (_stored(path, studies) for path in _runs(folder)),
        key=lambda one: (-one.changed, one.record.id),
    )
    return Inventory(
        folder=folder,
        runs=tuple(found),
        shared=tuple(_shared(folder)),
        left=tuple(_left(folder)),
        studies=studies,
    )


def _runs(folder: Path) -> Iterator[Path]:
    """The directories of runs: those of the stages, and those that a user put beside them."""
    for child in _children(folder):
        if child.name in NOT_STAGES:
            continue
        if is_run(child):
            yield child
            continue
        for path in _children(child):
            if is_run(path) or (path / ".lock").is_file():
                yield path


def _children(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.is_dir())
    except OSError:
        return []


def _study(path: Path) -> Study:
    content, reason = read_object(path)
    runs, tuning = content.get("runs"), mapping(content.get("tuning"))
    if not reason and not isinstance(runs, list):
        reason = f"{path.name} lists no runs."
    return Study(
        folder=path.parent.name,
        entries=tuple(map(mapping, [*listing(runs), *listing(tuning.get("runs"))])),
        mentions=frozenset(IDENTITY.findall(" ".join(texts(content.get("outside"))))),
        packs=frozenset(texts(content.get("packs"))),
        unreadable=reason,
    )


def _stored(path: Path, studies: Sequence[Study]) -> Stored:
    record = read_run(path)
    config = {} if record.status == "finished" else _config(path)
    facts = {**config, **record.summary}
    identity = (text(facts.get("identity")) or record.identity)[:IDENTITY_LENGTH]
    told = [
        (study.folder, entry)
        for study in studies
        for entry in study.entries
        if _is_meant(entry, record.id, identity, text(facts.get("key")))
    ]
    use = disk_use(path)
    settings = mapping(config.get("settings"))
    seeds = [record.summary.get("seed"), settings.get("seed"), *(e.get("seed") for _, e in told)]
    failures = [text(entry.get("error")) for _, entry in told if entry.get("status") == "failed"]
    return Stored(
        record=record,
        identity=identity,
        state=_state(record, failed=bool(failures)),
        seed=next((seed for seed in map(whole, seeds) if seed is not None), None),
        size=use.bytes,
        changed=_finished(record) or use.changed,
        studies=tuple(dict.fromkeys(folder for folder, _ in told)),
        error=next(iter(failures), ""),
        mentions=_mentions(record, identity),
        pack=_pack(record),
        weights=frozenset(_weights(path)),
        is_own=_is_own(record, text(settings.get("stage")) or record.stage, identity),
    )


def _is_meant(entry: Mapping[str, Any], run: str, identity: str, key: str) -> bool:
    """Whether an entry of a study names this run, or waits for one of its settings.

    A study knows a run that is not finished by its key alone.
    """
    if entry.get("run"):
        return entry["run"] == run or text(entry.get("identity"))[:IDENTITY_LENGTH] == identity
    return bool(key) and entry.get("key") == key


def _config(path: Path) -> dict[str, Any]:
    try:
        return read_yaml(path / "config.yaml")
    except UnderstudyError:
        return {}


def _state(record: RunRecord, *, failed: bool) -> str:
    if is_claimed(record.path):
        return "running"
    return "failed" if failed and record.status == "unfinished" else record.status


def _finished(record: RunRecord) -> float:
    """When it was finished, in seconds since 1970; 0 where it does not say."""
    try:
        told = time.strptime(text(record.summary.get("finished")), "%Y-%m-%dT%H:%M:%SZ")
    except ValueError:
        return 0.0
    return float(timegm(told))


def _mentions(record: RunRecord, identity: str) -> frozenset[str] | None:
    """Every identity that the settings and the summary name.

    Settings name parents by path, which ends in the identity. Taking any such number for a parent
    keeps one run too many at worst.
    """
    try:
        config = (record.path / "config.yaml").read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        config = ""
    except OSError:
        return None
    parents = {text(one.get("identity"))[:IDENTITY_LENGTH] for one in record.parents.values()}
    return frozenset({*IDENTITY.findall(config), *parents}) - {identity, ""}


def _pack(record: RunRecord) -> str | None:
    splits, _ = read_object(record.path / "data" / "splits.json")
    return text(record.summary.get("pack")) or text(splits.get("pack")) or None


def _weights(path: Path) -> Iterator[str]:
    for state in path.glob("checkpoints/*/state.json"):
        yield text(mapping(read_object(state)[0].get("sha256")).get("model"))


def _is_own(record: RunRecord, stage: str, identity: str) -> bool:
    path = record.path
    is_link = path.is_symlink() or path.parent.is_symlink()
    named = path.parent.name == stage and path.name.endswith(f"-{identity}")
    return named and bool(IDENTITY.fullmatch(identity)) and not is_link


def _shared(folder: Path) -> Iterator[Shared]:
    """Packs, banks, what else runs share, and the results of studies."""
    for path in _children(folder / "shared" / "packs"):
        if path.suffix != ".partial":
            yield _entry(path, "pack")
    for path in _children(folder / "shared" / "banks"):
        told, _ = read_object(path / "bank.json")
        yield _entry(path, "bank")._replace(weights=text(told.get("weights")))
    for path in _children(folder / "shared"):
        if path.name not in ("packs", "banks"):
            yield _entry(path, "shared")
    for path in _children(folder / "studies"):
        yield _entry(path, "study")


def _entry(path: Path, what: str) -> Shared:
    use = disk_use(path)
    return Shared(path, what, use.bytes, use.changed)


def _left(folder: Path) -> Iterator[Leftover]:
    """Temporary files and folders whose writer is gone."""
    for run in _runs(folder):
        lock = run / ".lock"
        if not is_held(lock):
            for torn in sorted(run.rglob(".*.partial")):
                yield Leftover(torn, lock, disk_use(torn).bytes)
    for partial in sorted((folder / "shared" / "packs").glob("*.partial")):
        lock = partial.with_suffix(".lock")
        if not is_held(lock):
            yield Leftover(partial, lock, disk_use(partial).bytes)
    places = [*folder.glob("studies/*/.*.partial"), *folder.glob("shared/*/.*.partial")]
    for path in sorted([*places, *folder.glob("shared/trials/*")]):
        use = disk_use(path)
        if use.changed < time.time() - LEFT_SECONDS:
            yield Leftover(path, None, use.bytes)
