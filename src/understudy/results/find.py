"""Finding what a person points at: a study, a folder of runs, or one run."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from understudy.results.errors import ReportError
from understudy.results.records import (
    IDENTITY_LENGTH,
    Entry,
    RunRecord,
    StudyRecord,
    read_run,
    read_study,
)
from understudy.results.values import listing, mapping, text, whole


def find(path: Path) -> StudyRecord:
    """Reads whatever `path` is: a study's directory, a folder of runs, or one run.

    Raises:
        ReportError: There is nothing of the kind.
    """
    place = path.parent if path.name in ("study.json", "summary.json") else path
    if (place / "study.json").exists():
        return read_study(place)
    if is_run(place):
        return _alone(place)
    studies = sorted([*place.glob("studies/*/study.json"), *place.glob("*/study.json")])
    runs = [run for run in sorted([*place.glob("*"), *place.glob("*/*")]) if is_run(run)]
    if not studies and not runs:
        found = "it does not exist" if not place.exists() else "it holds neither"
        raise ReportError(
            f"{path}: no study and no run to report: {found}. Give the directory of a study "
            "(`runs/studies/NAME`), a folder of runs (`runs`), or one run (`runs/STAGE/NAME-ID`)."
        )
    return _together(place, [read_study(study.parent) for study in studies], runs)


def is_run(path: Path) -> bool:
    """Whether a directory holds a run, in whatever state."""
    return any((path / name).is_file() for name in ("summary.json", "config.yaml", "metrics.jsonl"))


def _alone(path: Path) -> StudyRecord:
    """One run, with the evaluations beside it that tell about it."""
    run = read_run(path.resolve())
    others = [read_run(other) for other in sorted(run.path.parent.parent.glob("evaluate/*-*"))]
    telling = [other for other in others if other.path != run.path and _tells_of(other, run)]
    return _loose(path, name=run.name, title=run.id, runs=[run, *telling], before=())


def _tells_of(evaluation: RunRecord, run: RunRecord) -> bool:
    told = [
        mapping(one)
        for fact in ("evaluations", "probes")
        for one in listing(evaluation.summary.get(fact))
    ]
    return run.identity in {text(one.get("identity"))[:IDENTITY_LENGTH] for one in told}


def _together(path: Path, studies: Sequence[StudyRecord], runs: Sequence[Path]) -> StudyRecord:
    """A folder of runs: those of its studies in their places, then the others."""
    entries = tuple(entry for study in studies for entry in study.entries)
    tuned = tuple(one for study in studies for one in study.tuned)
    known = {entry.run.path for entry in entries}
    known |= {(path / run).resolve() for one in tuned for run in one.runs}
    others = [read_run(run.resolve()) for run in runs if run.resolve() not in known]
    name = path.resolve().name
    found = _loose(path, name=name, title=f"All runs in {name}", runs=others, before=entries)
    changed = {folder: words for study in studies for folder, words in study.changed.items()}
    reference = {folder: axes for study in studies for folder, axes in study.reference.items()}
    published = {folder: told for study in studies for folder, told in study.published.items()}
    return replace(found, changed=changed, reference=reference, tuned=tuned, published=published)


STAGES = ("train", "pretrain", "adopt", "finetune", "ensemble", "distill", "mutual", "fixmatch")


def _order(run: RunRecord) -> tuple[int, str, int]:
    """Baselines before pretraining before teachers before students, as studies list them."""
    place = STAGES.index(run.stage) if run.stage in STAGES else len(STAGES)
    return place, run.name, whole(run.summary.get("seed")) or 0


def _loose(
    path: Path, *, name: str, title: str, runs: Sequence[RunRecord], before: tuple[Entry, ...]
) -> StudyRecord:
    """Runs outside of studies; one recipe's name in several stages gets the stage behind it."""
    stages: dict[str, set[str]] = {}
    for run in runs:
        stages.setdefault(run.name, set()).add(run.stage)
    entries = [
        Entry(
            study="",
            node=run.name if len(stages[run.name]) == 1 else f"{run.name}, {run.stage}",
            stage=run.stage,
            seed=whole(run.summary.get("seed")),
            axes={},
            status=run.status,
            error="",
            run=run,
        )
        for run in sorted(runs, key=_order)
    ]
    return StudyRecord(
        path=path,
        name=name,
        title=title,
        parameters={},
        scale="",
        reduced="",
        entries=(*before, *entries),
    )
