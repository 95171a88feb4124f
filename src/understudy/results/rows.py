"""One row per trained model and kept checkpoint: what every table, plot and sentence is made of."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from understudy.results.binary import figures_of_two
from understudy.results.configuration import configuration
from understudy.results.probes import figures_of
from understudy.results.records import IDENTITY_LENGTH, Entry, StudyRecord
from understudy.results.values import listing, mapping, number, text, whole

STUDENTS = frozenset({"distill", "mutual", "fixmatch"})
"""Stages whose models learn from more than labels, and are held to their baselines."""
Evaluations = Mapping[tuple[str, str, str], Mapping[str, Any]]
"""(study, identity, checkpoint) -> what an evaluation on the test split tells of it."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One trained model at one checkpoint; shares lie in 0-1, and None means not measured."""

    study: str
    stage: str
    name: str
    """Its role in the study: baseline, teacher, student, ..."""
    checkpoint: str
    """last, or best on validation."""
    seed: int | None
    axes: dict[str, str]
    parameters: int | None
    labels: int | None
    """Training and validation labels together: a label used to choose is a label used."""
    steps: int | None
    """Optimizer steps up to this checkpoint."""
    seconds: float | None
    """Of the whole training."""
    precision: str
    val_top1: float | None
    test_top1: float | None
    test_top5: float | None
    test_macro_f1: float | None
    test_ece: float | None
    agreement: float | None
    """Share of test images on which it answers like its teacher."""
    latency_ms: float | None
    """Exported model, batch 1, one thread."""
    test_nll: float | None
    """Nats; not a column, like the three below."""
    macs: int | None
    """Multiplications of one image's answer."""
    file_bytes: int | None
    """Of the exported file."""
    latency_ms_64: float | None
    """Of a batch of 64, as `latency_ms`."""
    run: str
    """Its id, `stage/name-identity`."""
    parents: tuple[str, ...]
    """Run ids."""
    version: str
    configuration: str
    """Equal for rows that differ in their seed alone; not a column."""
    identity: str
    """The run's, twelve digits; not a column."""
    origins: Mapping[str, str]
    """Identities of what taught it or is a part of it, wherever that lies now, and the checkpoint
    of each that was taken ("" where that is not told); not a column. What it started from is
    none."""
    data: str
    """Key of the images that it learned from; not a column."""
    train_top1: float | None = None
    """Share of its last training batches, as they were shown, that it answered right before it
    learned from them; what tells of other images is `test_top1`."""
    leaked: int | None = None
    """Test images that are identical to one outside the test split."""
    seen: int | None = None
    """Test images that it has learned from, or what it was made from; not a column."""
    test_images: int | None = None
    """Of the evaluation; not a column."""
    backbone: int | None = None
    """Parameters of the backbone alone; not a column."""
    classes: int | None = None
    """How many it tells apart; not a column."""
    start: str = ""
    """Identity of the run that it went on from, twelve digits; not a column."""
    is_student: bool = False
    """Whether it, or what it went on from, learned from other networks; not a column."""
    binary: Mapping[str, float] = field(default_factory=dict)
    """Of two classes, what is told of the one that is looked for, as `test_*` in tables:
    `precision`, `recall`, `f1`, `f0.5`, `auc`, and the counts `tp`, `fp`, `tn`, `fn`."""
    probes: Mapping[str, float] = field(default_factory=dict)
    """What its frozen features are worth, as `probe.*` in tables: `linear_top1`, `knn20_top1`,
    `labels`; with a share of the labels `linear_top1@1%`."""


def rows_of(record: StudyRecord) -> list[Row]:
    """Joins what trainings say of themselves with what evaluations on the test split say of them.

    Test figures come from `evaluate` runs alone. A model that nobody evaluated has a row with those
    columns empty; one without a classifier has those of its probes alone.
    """
    evaluations, probes = (_told(record, fact) for fact in ("evaluations", "probes"))
    configurations, taught = _configurations(record), _taught(record)
    return [
        _row(
            entry,
            checkpoint,
            mapping(facts),
            _of(entry, checkpoint, evaluations),
            _of(entry, checkpoint, probes),
            configurations[entry.run.identity],
            is_student=entry.run.identity in taught,
        )
        for entry in record.entries
        if entry.run.is_training
        for checkpoint, facts in _checkpoints(entry)
    ]


def _checkpoints(entry: Entry) -> Iterator[tuple[str, Any]]:
    found = mapping(entry.run.summary.get("checkpoints")) or {"last": {}}
    for checkpoint in ("last", "best"):
        if checkpoint in found:
            yield checkpoint, found[checkpoint]


def _taught(record: StudyRecord) -> set[str]:
    """Runs that learned from other networks, and those that went on from such a one."""
    begun = {entry.run.identity: _start(entry) for entry in record.entries}
    students = {entry.run.identity for entry in record.entries if entry.stage in STUDENTS}
    found = students - {""}  # of those that are not done: what began with nothing is none of theirs
    while more := {run for run, start in begun.items() if start in found} - found:
        found |= more
    return found


def _start(entry: Entry) -> str:
    return text(entry.run.parents.get("start", {}).get("identity"))[:IDENTITY_LENGTH]


def _configurations(record: StudyRecord) -> dict[str, str]:
    runs = {entry.run.identity: entry.run for entry in record.entries}
    return {identity: configuration(run, runs) for identity, run in runs.items() if run.is_training}


def _told(record: StudyRecord, fact: str) -> Evaluations:
    """The first evaluation or probe of a model within its own study, else the first of any."""
    found: dict[tuple[str, str, str], Mapping[str, Any]] = {}
    for entry in record.having(fact):
        if entry.run.summary.get("split") != "test":
            continue
        images = {key: entry.run.summary.get(key) for key in ("leaked", "images")}
        for told in map(mapping, listing(entry.run.summary.get(fact))):
            one = {**told, "of_images": images}
            identity = text(one.get("identity"))[:IDENTITY_LENGTH]
            for study in (entry.study, "*"):
                found.setdefault((study, identity, text(one.get("checkpoint"))), one)
    return found


def _of(entry: Entry, checkpoint: str, told: Evaluations) -> Mapping[str, Any]:
    identity = entry.run.identity
    own = told.get((entry.study, identity, checkpoint))
    return own or told.get(("*", identity, checkpoint), {})


def _row(
    entry: Entry,
    checkpoint: str,
    facts: Mapping[str, Any],
    tested: Mapping[str, Any],
    probed: Mapping[str, Any],
    configuration: str,
    *,
    is_student: bool,
) -> Row:
    run, summary = entry.run, entry.run.summary
    images = mapping(tested.get("of_images") or probed.get("of_images"))
    step = whole(facts.get("step"))
    return Row(
        study=entry.study,
        stage=entry.stage,
        name=entry.node,
        checkpoint=checkpoint,
        seed=entry.seed,
        axes=entry.axes,
        parameters=whole(summary.get("parameters", tested.get("parameters"))),
        labels=_labels(summary.get("labels")),
        steps=_steps(summary, step),
        seconds=number(summary.get("seconds")),
        precision=text(summary.get("precision")),
        val_top1=number(facts.get("val_top1")),
        train_top1=number(facts.get("train_top1")),
        test_top1=number(tested.get("top1")),
        test_top5=number(tested.get("top5")),
        test_macro_f1=number(tested.get("macro_f1")),
        test_ece=number(tested.get("ece")),
        agreement=number(tested.get("agreement")),
        latency_ms=number(tested.get("latency_ms_1")),
        test_nll=number(tested.get("nll")),
        macs=whole(tested.get("macs")),
        file_bytes=whole(tested.get("file_bytes")),
        latency_ms_64=number(tested.get("latency_ms_64")),
        run=run.id,
        parents=tuple(text(parent.get("run")) for parent in run.parents.values()),
        version=text(summary.get("version")),
        configuration=configuration,
        identity=run.identity,
        origins={
            text(parent.get("identity"))[:IDENTITY_LENGTH]: text(parent.get("checkpoint"))
            for role, parent in run.parents.items()
            if role != "start"
        },
        data=text(summary.get("pack")),
        leaked=whole(images.get("leaked")),
        seen=whole(tested.get("seen", probed.get("seen"))),
        test_images=whole(images.get("images")),
        backbone=whole(mapping(summary.get("parts")).get("backbone")),
        classes=len(listing(mapping(summary.get("network")).get("classes"))) or None,
        start=_start(entry),
        is_student=is_student,
        binary=figures_of_two(tested.get("binary")),
        probes=figures_of(probed),
    )


def _steps(summary: Mapping[str, Any], kept_at: int | None) -> int | None:
    """Up to a checkpoint, with those of the run that this one went on from."""
    own = whole(summary.get("steps")) if kept_at is None else kept_at
    return None if own is None else own + (whole(summary.get("steps_before")) or 0)


def _labels(labels: Any) -> int | None:
    counts = [whole(count) for count in mapping(labels).values()]
    known = [count for count in counts if count is not None]
    return sum(known) if known else whole(labels)
