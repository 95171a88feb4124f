"""Runs and studies as their files tell them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from understudy.core.wording import named
from understudy.results.errors import ReportError
from understudy.results.history import History, read_history
from understudy.results.tuned import Tuned, tuned
from understudy.results.values import listing, mapping, read_object, text, texts, whole

IDENTITY_LENGTH = 12  # as in the names of run directories


@dataclass(frozen=True)
class RunRecord:
    """One run directory, whatever state it is in."""

    path: Path
    stage: str
    name: str
    identity: str
    """The first twelve digits."""
    status: str
    """finished | unfinished | damaged | missing"""
    summary: dict[str, Any]
    """summary.json; empty unless finished."""
    notes: tuple[str, ...]

    @property
    def id(self) -> str:
        """How tables name the run: `stage/name-identity`."""
        return f"{self.path.parent.name}/{self.path.name}"

    @property
    def is_training(self) -> bool:
        """Whether it finished and left a trained model."""
        return "checkpoints" in self.summary

    @property
    def parents(self) -> dict[str, dict[str, Any]]:
        """Role -> identity and run of what it was made from."""
        found = mapping(self.summary.get("parents"))
        return {role: mapping(parent) for role, parent in found.items()}

    @property
    def at_once(self) -> int:
        """How many runs shared the machine, at most."""
        return whole(self.summary.get("at_once")) or 1

    @cached_property
    def history(self) -> History:
        """metrics.jsonl, read when first asked for."""
        return read_history(self.path / "metrics.jsonl")

    @cached_property
    def config(self) -> str:
        """config.yaml as text, "" where there is none."""
        try:
            return (self.path / "config.yaml").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""

    @cached_property
    def environment(self) -> dict[str, Any]:
        """environment.json, empty where there is none."""
        return read_object(self.path / "environment.json")[0]


@dataclass(frozen=True)
class Entry:
    """One run in its place in a study."""

    study: str
    """Folder of the study, which tells two of one name apart; "" for a run that stands alone."""
    node: str
    """What the study calls it: baseline, teacher, student, ..."""
    stage: str
    seed: int | None
    axes: dict[str, str]
    """What the value of each axis is called."""
    status: str
    """finished | failed | unfinished | damaged | missing | pending"""
    error: str
    run: RunRecord


@dataclass(frozen=True)
class StudyRecord:
    """A study, or a folder of runs read as if it were one."""

    path: Path
    name: str
    title: str
    parameters: dict[str, Any]
    scale: str
    reduced: str
    """A sentence that says in what the study is smaller than meant; "" where it is not."""
    entries: tuple[Entry, ...]
    changed: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """By folder of a study, the parameters that are not as its file states them."""
    published: Mapping[str, tuple[dict[str, Any], ...]] = field(default_factory=dict)
    """By folder of a study, figures of others, as its file states them."""
    reference: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """By folder of a study and axis, the value that others are compared with."""
    tuned: tuple[Tuned, ...] = ()
    """What the study tried before it was done."""

    def having(self, fact: str) -> Iterator[Entry]:
        """The finished entries whose summary holds `fact`: "evaluations", "parity", ..."""
        return (entry for entry in self.entries if fact in entry.run.summary)


def read_run(path: Path) -> RunRecord:
    """Reads one run directory; never fails, whatever lies there."""
    summary, reason = read_object(path / "summary.json")
    name, _, identity = path.name.rpartition("-")
    return RunRecord(
        path=path,
        stage=text(summary.get("stage")) or path.parent.name,
        name=text(summary.get("name")) or name or path.name,
        identity=(text(summary.get("identity")) or identity)[:IDENTITY_LENGTH],
        status=_status(path, summary, reason),
        summary=summary,
        notes=(*((reason,) if reason else ()), *texts(summary.get("notes"))),
    )


def _status(path: Path, summary: dict[str, Any], reason: str) -> str:
    if summary:
        return "finished"
    if reason:
        return "damaged"
    return "unfinished" if path.is_dir() else "missing"


def read_study(path: Path) -> StudyRecord:
    """Reads a study's directory, `runs/studies/<name>`, with the runs that it names.

    Raises:
        ReportError: There is no readable study.json.
    """
    content, reason = read_object(path / "study.json")
    if not content:
        raise ReportError(
            f"{path}: {reason or 'holds no study.json.'} "
            "Give the directory of a study, a folder of runs, or one run."
        )
    runs, name = path.resolve().parent.parent, text(content.get("name")) or path.name
    folder = path.resolve().name
    entries = [_entry(runs, folder, mapping(listed)) for listed in listing(content.get("runs"))]
    return StudyRecord(
        path=path,
        name=name,
        title=text(content.get("title")) or name,
        parameters=mapping(content.get("parameters")),
        scale=text(content.get("scale")),
        reduced=text(content.get("reduced")),
        entries=tuple(entries),
        changed={folder: mapping(content.get("changed"))},
        published={folder: tuple(map(mapping, listing(content.get("published"))))},
        reference={
            folder: {axis: text(value) for axis, value in mapping(content.get("reference")).items()}
        },
        tuned=tuned(folder, mapping(content.get("tuning"))),
    )


def _entry(runs: Path, study: str, listed: dict[str, Any]) -> Entry:
    run = read_run(_inside(runs, text(listed.get("run"))))
    node, stage = text(listed.get("node")) or run.name, text(listed.get("stage")) or run.stage
    seed = whole(listed.get("seed"))
    return Entry(
        study=study,
        node=node,
        stage=stage,
        seed=whole(run.summary.get("seed")) if seed is None else seed,
        axes={axis: named(value) for axis, value in mapping(listed.get("axes")).items()},
        status=_resolved(text(listed.get("status")), run.status),
        error=text(listed.get("error")),
        run=run,
    )


def _inside(runs: Path, name: str) -> Path:
    """Where a study says that a run lies; a path that leaves the runs' folder names nothing."""
    relative = PurePosixPath(name)
    if not name or relative.is_absolute() or ".." in relative.parts:
        return runs / "-" / "-"
    return runs / relative


def _resolved(told: str, found: str) -> str:
    """The run's own files decide; the study knows more only of what failed or never began."""
    if found == "finished" or found == "damaged":
        return found
    if told == "failed":
        return told
    return "pending" if found == "missing" and told != "finished" else found
