"""What limits a study's findings, in sentences computed from its runs."""

from collections.abc import Iterator, Sequence

from understudy.results.comparison import Comparison, Contrast, Line
from understudy.results.finding import Finding, alone, began, called, place
from understudy.results.formats import exact, listed, percent, plural
from understudy.results.records import Entry, StudyRecord
from understudy.results.values import listing, mapping, number, whole

MOST_NAMED = 3  # examples in a sentence


def cautions(record: StudyRecord, comparison: Comparison) -> list[Finding]:
    """Everything that a reader should hold against the tables, each once."""
    told = [
        *_reduction(record),
        *_unfinished(record),
        *_versions(comparison),
        *_configurations(comparison),
        *_pairs(comparison.contrasts),
        *_weak(comparison),
        *_guessing(record, comparison.lines),
        *_evaluation(comparison),
        *_choosing(record),
        *_spoiled(record),
        *_notes(record),
    ]
    return [Finding("caution", text) for text in dict.fromkeys(told)]


def _reduction(record: StudyRecord) -> Iterator[str]:
    if record.reduced:
        yield record.reduced
    elif record.scale and record.scale != "full":
        yield f"This study ran at scale “{record.scale}”, smaller than meant."


def _unfinished(record: StudyRecord) -> Iterator[str]:
    for status in ("failed", "damaged", "missing", "unfinished", "pending"):
        found = [entry for entry in record.entries if entry.status == status]
        if found:
            verb = "is" if len(found) == 1 else "are"
            yield (
                f"{len(found)} of {plural(len(record.entries), 'run')} {verb} {status}: "
                f"{_examples([named(entry) for entry in found])}."
            )


def named(entry: Entry) -> str:
    """`student, seed 2` and its axes."""
    parts = [entry.node, *(f"{axis} = {value}" for axis, value in entry.axes.items())]
    return ", ".join([*parts, f"seed {entry.seed}"] if entry.seed is not None else parts)


def _examples(items: Sequence[str]) -> str:
    if len(items) <= MOST_NAMED:
        return "; ".join(items)
    return f"{'; '.join(items[:MOST_NAMED])}; and {len(items) - MOST_NAMED} more"


def _versions(comparison: Comparison) -> Iterator[str]:
    versions = sorted({row.version for row in comparison.rows if row.version})
    if len(versions) > 1:
        yield f"The tables mix {len(versions)} code versions: {_examples(versions)}."
    if changed := [version for version in versions if version.endswith(".changed")]:
        yield f"Code was changed after its last commit: {_examples(changed)}."


def _configurations(comparison: Comparison) -> Iterator[str]:
    found: dict[tuple[object, ...], set[str]] = {}
    for line in comparison.lines:
        key = line.study, line.name, *line.axes.items()
        found.setdefault(key, set()).add(line.configuration)
    mixed = [str(key[1]) for key, configurations in found.items() if len(configurations) > 1]
    if mixed:
        yield (
            f"Runs of one name have different settings or data, and are shown apart: "
            f"{_examples(list(dict.fromkeys(mixed)))}."
        )
    if len({row.data for row in comparison.rows if row.data}) > 1:
        yield "The tables hold runs on different images."


def _pairs(contrasts: Sequence[Contrast]) -> Iterator[str]:
    last = [contrast for contrast in contrasts if contrast.checkpoint == "last"]
    for contrast in last:
        where = place(contrast, last)
        prefix = f"{where}: " if where else ""
        of, against = called(contrast.of.name), called(contrast.against.name)
        if contrast.role == "baseline":
            yield from (prefix + text for text in _unequal_steps(contrast, of, against))
        if _words(contrast.of) != _words(contrast.against) and contrast.role == "baseline":
            yield (
                f"{prefix}{began(of)} and {against} were computed in different ways: "
                f"{listed(_words(contrast.of))} against {listed(_words(contrast.against))}."
            )
        counts = {difference.n for difference in contrast.differences.values()}
        most = max(len(contrast.of.rows), len(contrast.against.rows))
        if max(counts) < most:
            yield (
                f"{prefix}Of {most} runs of {of} or {against} only "
                f"{plural(max(counts), 'pair')} could be made."
            )


def _unequal_steps(contrast: Contrast, of: str, against: str) -> Iterator[str]:
    steps, others = contrast.of.cell("steps"), contrast.against.cell("steps")
    if steps and others and steps.mean != others.mean:
        yield (
            f"{began(of)} and {against} did not take equally many steps: {exact(steps.mean)} "
            f"against {exact(others.mean)}."
        )


def _words(line: Line) -> list[str]:
    return sorted({row.precision or "not recorded" for row in line.rows})


def _weak(comparison: Comparison) -> Iterator[str]:
    """A teacher that its student or its student's baseline outdoes."""
    last = [one for one in comparison.contrasts if one.checkpoint == "last"]
    teachers = {
        (one.study, *one.axes.items()): one.against for one in last if one.role == "teacher"
    }
    for contrast in last:
        teacher = teachers.get((contrast.study, *contrast.axes.items()))
        best = teacher and teacher.cell("test_top1")
        if not teacher or not best:
            continue
        other = contrast.of if contrast.role == "teacher" else contrast.against
        cell = other.cell("test_top1")
        if cell and cell.mean > best.mean:
            where = place(contrast, last)
            who = "student" if contrast.role == "teacher" else "baseline"
            yield (
                f"{f'{where}: ' if where else ''}On average the teacher is weaker than the {who}: "
                f"{percent(best.mean)} against {percent(cell.mean)} on the test images."
            )


def _guessing(record: StudyRecord, lines: Sequence[Line]) -> Iterator[str]:
    """Models within three standard errors of what guessing reaches."""
    for entry in record.having("evaluations"):
        classes = len(listing(entry.run.summary.get("classes")))
        images = whole(entry.run.summary.get("images"))
        if classes < 2 or not images:
            continue
        chance = 1 / classes
        limit = chance + 3 * (chance * (1 - chance) / images) ** 0.5
        found = [
            line.name
            for line in lines
            if (cell := line.cell("test_top1")) is not None and cell.mean <= limit
        ]
        for name in dict.fromkeys(found):
            yield (
                f"{began(alone(name))} does no better than guessing among {classes} classes "
                f"({percent(chance)})."
            )
        return


def _evaluation(comparison: Comparison) -> Iterator[str]:
    if comparison.lines and all(row.test_top1 is None for row in comparison.rows):
        yield "No model was evaluated on the test split; figures are of validation images."
    students = {
        line.configuration
        for line in comparison.lines
        if line.stage == "distill" and any(row.test_top1 is not None for row in line.rows)
    }
    if len(students) > 1:
        yield (
            f"{len(students)} kinds of student were looked at on the test split; the best of many "
            "is partly luck. Choose by validation figures."
        )


def _choosing(record: StudyRecord) -> Iterator[str]:
    """How coarse the validation figure is that chose the best checkpoint."""
    sizes = {
        images
        for entry in record.entries
        if "best" in mapping(entry.run.summary.get("checkpoints"))
        and (images := whole(mapping(entry.run.summary.get("labels")).get("validation")))
    }
    if sizes and min(sizes) < 200:  # above, one image is less than half a point
        fewest = min(sizes)
        yield (
            f"Best checkpoints were chosen on {exact(fewest)} validation labels, where one image "
            f"is {percent(1 / fewest)}."
        )


def _spoiled(record: StudyRecord) -> Iterator[str]:
    for entry in record.entries:
        steps = entry.run.history.series(phase="train", key="spoiled_steps")
        total = sum(value for _, value in steps)
        if total:
            yield f"{named(entry)}: {exact(total)} steps were not finite and changed nothing."


def _notes(record: StudyRecord) -> Iterator[str]:
    """What runs noted about themselves, and images that they skipped; equal notes once."""
    found: dict[str, list[str]] = {}
    for entry in record.entries:
        notes = [*entry.run.notes, *entry.run.history.notes]
        for reason, images in mapping(entry.run.summary.get("skipped")).items():
            if number(images):
                notes.append(f"{plural(int(images), 'image')} skipped: {reason}.")
        for note in notes:
            found.setdefault(note, []).append(named(entry))
    for note, entries in found.items():
        runs = "every run" if len(entries) == len(record.entries) else _examples(entries)
        yield f"{note} ({runs})"
