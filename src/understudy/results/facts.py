"""What is so beside the gains: size and speed, agreement, export, time."""

from collections.abc import Iterator, Sequence

from understudy.core.overrides import written
from understudy.evaluation.intervals import wilson
from understudy.results.comparison import Comparison, Contrast, Line
from understudy.results.evaluations import best_student
from understudy.results.finding import Finding, began, called
from understudy.results.finetuned import told as fine_tuned
from understudy.results.formats import (
    count,
    duration,
    exact,
    listed,
    milliseconds,
    percent,
    plural,
    times,
)
from understudy.results.frozen_words import told as frozen_features
from understudy.results.leaks import sign
from understudy.results.pretraining_words import learning_without_labels
from understudy.results.quantised import quantised
from understudy.results.records import Entry, StudyRecord
from understudy.results.tuning_words import outcome, reading
from understudy.results.values import listing, mapping, number, text, whole

LONGEST = 60  # characters of a setting that a sentence tells; all of it stands among the parameters


def facts(record: StudyRecord, comparison: Comparison) -> list[Finding]:
    """The facts of a study."""
    last = [contrast for contrast in comparison.contrasts if contrast.checkpoint == "last"]
    told = [
        *_changes(record),
        *_sizes([contrast for contrast in last if contrast.role == "teacher"]),
        *_backbones([one for one in comparison.frozen_contrasts if one.role == "teacher"]),
        *_budgets(record, [contrast for contrast in last if contrast.role == "baseline"]),
        *_reused(record),
        *_adopted(record),
        *learning_without_labels(record),
        *frozen_features(comparison),
        *fine_tuned(comparison),
        *_export(record),
        *(one.sentence() for one in quantised(record)),
        *(f"{reading(one)} {outcome(one)}" for one in record.tuned),
        *_test_images(record, best_student(comparison)),
        *_time(record),
    ]
    return [Finding("fact", text) for text in told]


def _changes(record: StudyRecord) -> Iterator[str]:
    """What was asked for otherwise than a study's file says it; not where the images lie."""
    for folder, changed in record.changed.items():
        told = {key: value for key, value in changed.items() if not _is_place(key)}
        if words := [
            word if len(word) <= LONGEST else f"{key} of its own"
            for key, word in zip(told, written(told), strict=True)
        ]:
            where = f"{folder} ran" if len(record.changed) > 1 else "The study ran"
            yield f"{where} with {', '.join(words)}."


def _is_place(key: str) -> bool:
    """Whether the parameter says where images lie; a page that is passed on need not tell."""
    return key == "data" or key.rpartition(".")[2] in ("path", "root", "unlabeled")


def _sizes(contrasts: Sequence[Contrast]) -> Iterator[str]:
    """Only where there is one student: with many, the plots tell it."""
    if len(contrasts) != 1:
        return
    student, teacher = contrasts[0].of, contrasts[0].against
    name, other = began(called(student.name)), called(teacher.name)
    small, large = student.cell("parameters"), teacher.cell("parameters")
    if small and large:
        ratio = smaller(small.mean, large.mean)
        relation = f", {ratio} fewer than {other}'s {count(large.mean)}" if ratio else ""
        yield f"{name} has {count(small.mean)} parameters{relation}."
    fast, slow = student.cell("latency_ms"), teacher.cell("latency_ms")
    if fast and slow:
        yield (
            f"Exported, {called(student.name)} answers one image in {milliseconds(fast.mean)} ms "
            f"on one thread, {other} in {milliseconds(slow.mean)} ms."
        )
    if agreement := student.cell("agreement"):
        mark = sign(contrasts[0].of.rows, "agreement")
        yield (
            f"{name} answers like {other} on {percent(agreement.mean)}{mark} of the test images."
        )


def _backbones(contrasts: Sequence[Contrast]) -> Iterator[str]:
    """Of students whose features are judged; only where all are of one size, and their teachers."""
    sizes = {
        (called(one.of.name), one.of.rows[0].backbone, one.against.rows[0].backbone)
        for one in contrasts
    }
    if len(sizes) != 1:
        return
    name, small, large = sizes.pop()
    if small and large and (ratio := smaller(small, large)):
        yield (
            f"The backbone of {name} has {count(small)} parameters, {ratio} fewer than its "
            f"teacher's {count(large)}."
        )


def smaller(small: float, large: float) -> str:
    """`63 times`; nothing where it is not smaller."""
    return times(large / small) if 0 < small < large else ""


def _budgets(record: StudyRecord, contrasts: Sequence[Contrast]) -> Iterator[str]:
    """Steps of student and baseline; of a student that went on from another run, of both."""
    nodes = {text(entry.run.summary.get("identity")): entry.node for entry in record.entries}
    counted: dict[tuple[str, str], list[tuple[int, int]]] = {}
    for entry in record.having("steps_before"):
        start = mapping(mapping(entry.run.summary.get("parents")).get("start"))
        before = called(nodes.get(text(start.get("identity")), text(start.get("run"))))
        own, earlier = (whole(entry.run.summary.get(key)) for key in ("steps", "steps_before"))
        if earlier:  # not weights of others: nobody counted their steps
            counted.setdefault((entry.node, before), []).append((own or 0, earlier))
    for (node, before), found in counted.items():
        own_steps, steps_before = (sorted(set(counts)) for counts in zip(*found, strict=True))
        noun = "step" if own_steps == [1] else "steps"
        yield (
            f"{began(node)} goes on from {before}: {_span(own_steps)} {noun} after "
            f"{_span(steps_before)}."
        )
    steps = {(one.of.cell("steps"), one.against.cell("steps")) for one in contrasts}
    pairs = {(of.mean, against.mean) for of, against in steps if of and against}
    if len(pairs) == 1 and len(set(next(iter(pairs)))) == 1:
        yield f"Student and baseline took equally many steps: {exact(next(iter(pairs))[0])} each."


def _span(counts: Sequence[int]) -> str:
    """Of counts in order, as early stopping and axes may make them differ: `300 to 500`."""
    ends = dict.fromkeys((counts[0], counts[-1]))
    return " to ".join(exact(end) for end in ends)


def _reused(record: StudyRecord) -> Iterator[str]:
    """What a model has beside the network that its baseline is."""
    told = {}
    for entry in record.having("parts"):
        parts = mapping(entry.run.summary.get("parts"))
        if neck := whole(parts.get("neck")):
            kept = whole(parts.get("classifier")) or 0
            told[called(entry.node)] = (neck, kept, whole(entry.run.summary.get("parameters")) or 0)
    for name, (neck, kept, total) in told.items():
        yield (
            f"{began(name)} answers through its teacher's classifier: {count(neck)} of its "
            f"{count(total)} parameters lead to it, and {count(kept)} are the classifier's own."
        )


def _adopted(record: StudyRecord) -> Iterator[str]:
    """Where weights came from that nobody trained here, and what they may be used for."""
    sources = [mapping(entry.run.summary["weights"]) for entry in record.having("weights")]
    told = {
        text(one.get("sha256")): (text(one.get("source")), text(one.get("licence")))
        for one in sources
    }
    for digest, (source, licence) in told.items():
        yield (
            f"{source} (SHA-256 {digest[:12]}…) was not trained here; its licence: "
            f"{licence or 'not stated'}."
        )


def _export(record: StudyRecord) -> Iterator[str]:
    checks = [mapping(entry.run.summary["parity"]) for entry in record.having("parity")]
    agreements = [number(check.get("agreement")) for check in checks]
    known = [agreement for agreement in agreements if agreement is not None]
    images = min((whole(check.get("images")) or 0 for check in checks), default=0)
    if not known or not images:
        return
    worst = max(number(check.get("max_difference")) or 0.0 for check in checks)
    batches = listed([str(size) for size in listing(checks[0].get("batches"))] or ["unknown size"])
    every = len(known) > 1
    told = "Every exported file" if every else "The exported file"
    answers = (
        f"answers like {'its' if every else 'the'} trained model on all {exact(images)} images "
        "compared"
        if min(known) == 1
        else f"differs from {'its' if every else 'the'} trained model on "
        f"{'up to ' if every else ''}{percent(1 - min(known), digits=2)} of the images"
    )
    yield (
        f"{told} {answers} (largest difference of two logits {worst:.1g}; batches of {batches})."
    )


def _test_images(record: StudyRecord, student: Line | None) -> Iterator[str]:
    """How many they are, and how well as many can tell the accuracy of one model."""
    sizes = {
        images
        for entry in record.having("evaluations")
        if entry.run.summary.get("split") == "test"
        and (images := whole(entry.run.summary.get("images")))
    }
    cell = student.cell("test_top1") if student else None
    if len(sizes) != 1 or student is None or cell is None:
        return
    size = next(iter(sizes))
    low, high = wilson(round(cell.mean * size), size)
    yield (
        f"Test figures come from {exact(size)} images, which tell an accuracy of "
        f"{percent(cell.mean)}{sign(student.rows, 'test_top1')} to within {percent(low)} to "
        f"{percent(high)} (95 % interval over images)."
    )


def _time(record: StudyRecord) -> Iterator[str]:
    trained = [one.run for one in record.entries if one.run.is_training and _has_steps(one)]
    runs = {run.path: run for run in trained}
    seconds = [number(run.summary.get("seconds")) for run in runs.values()]
    known = [second for second in seconds if second is not None]
    if known:
        most = max(run.at_once for run in runs.values())
        told = f"{plural(len(known), 'training')} took {duration(sum(known))} together"
        yield told + (f", up to {most} of them at once." if most > 1 else ".")


def _has_steps(entry: Entry) -> bool:
    """Adopted weights took none."""
    return entry.run.summary.get("steps") != 0
