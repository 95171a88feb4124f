"""What limits a study's findings in its runs: lost ones, mixed ones, and what they noted."""

from collections.abc import Iterator, Sequence

from understudy.results.comparison import Comparison
from understudy.results.finding import setting
from understudy.results.formats import exact, percent, plural
from understudy.results.leaks import caution
from understudy.results.records import Entry, StudyRecord
from understudy.results.values import mapping, number, whole

MOST_NAMED = 3  # examples in a sentence
COARSE = 200  # validation labels below which one image is more than half a point


def of_runs(record: StudyRecord, comparison: Comparison) -> Iterator[str]:
    """The sentences, the gravest first."""
    yield from caution(comparison.rows)
    yield from _unfinished(record)
    yield from _versions(comparison)
    yield from _configurations(comparison)
    yield from _spoiled(record)
    yield from _choosing(record)
    yield from _busy(record)
    yield from _notes(record)


def examples(items: Sequence[str]) -> str:
    """A few of the items, and how many more there are."""
    if len(items) <= MOST_NAMED:
        return "; ".join(items)
    return f"{'; '.join(items[:MOST_NAMED])}; and {len(items) - MOST_NAMED} more"


def named(entry: Entry) -> str:
    """`student, depth = 8, seed 2`."""
    place = setting(entry.axes)
    seed = "" if entry.seed is None else f"seed {entry.seed}"
    return ", ".join(part for part in (entry.node, place, seed) if part)


def _unfinished(record: StudyRecord) -> Iterator[str]:
    for status in ("failed", "damaged", "missing", "unfinished", "pending"):
        found = [entry for entry in record.entries if entry.status == status]
        if found:
            verb = "is" if len(found) == 1 else "are"
            yield (
                f"{len(found)} of {plural(len(record.entries), 'run')} {verb} {status}: "
                f"{examples([named(entry) for entry in found])}."
            )


def _versions(comparison: Comparison) -> Iterator[str]:
    versions = sorted({row.version for row in comparison.rows if row.version})
    if len(versions) > 1:
        yield f"The tables mix {len(versions)} code versions: {examples(versions)}."
    if changed := [version for version in versions if version.endswith(".changed")]:
        yield f"Code was changed after its last commit: {examples(changed)}."


def _configurations(comparison: Comparison) -> Iterator[str]:
    found: dict[tuple[object, ...], set[str]] = {}
    for line in comparison.lines:
        key = line.study, line.name, *line.axes.items()
        found.setdefault(key, set()).add(line.configuration)
    mixed = [str(key[1]) for key, kinds in found.items() if len(kinds) > 1]
    if mixed:
        yield (
            "Runs of one name have different settings or data, and are shown apart: "
            f"{examples(list(dict.fromkeys(mixed)))}."
        )
    if len({row.data for row in comparison.rows if row.data}) > 1:
        yield "The tables hold runs on different images."


def _spoiled(record: StudyRecord) -> Iterator[str]:
    for entry in record.entries:
        steps = entry.run.history.series(phase="train", key="spoiled_steps")
        total = sum(value for _, value in steps)
        if total:
            yield f"{named(entry)}: {exact(total)} steps were not finite and changed nothing."


def _choosing(record: StudyRecord) -> Iterator[str]:
    """How coarse the validation figure is that chose the best checkpoint."""
    sizes = {
        images
        for entry in record.entries
        if "best" in mapping(entry.run.summary.get("checkpoints"))
        and (images := whole(mapping(entry.run.summary.get("labels")).get("validation")))
    }
    if sizes and min(sizes) < COARSE:
        yield (
            f"Best checkpoints were chosen on {exact(min(sizes))} validation labels, where one "
            f"image is {percent(1 / min(sizes))}."
        )


def _busy(record: StudyRecord) -> Iterator[str]:
    """Whether times that are shown were measured beside other work."""
    eight_bits = (one for one in record.having("int8") if mapping(one.run.summary["int8"]))
    timed = [*record.having("evaluations"), *eight_bits]
    most = max((entry.run.at_once for entry in timed), default=1)
    if most > 1:
        yield (
            f"Times per image were measured while up to {most} runs shared the machine, and may be "
            "longer than on an idle one."
        )


def _notes(record: StudyRecord) -> Iterator[str]:
    """What runs noted about themselves, and images that they skipped; equal notes once."""
    found: dict[str, list[str]] = {}
    for entry in record.entries:
        notes = [*entry.run.notes, *entry.run.history.notes]
        for reason, images in mapping(entry.run.summary.get("skipped")).items():
            if number(images):
                notes.append(f"{plural(int(images), 'file')} left out: {reason}.")
        for note in notes:
            found.setdefault(note, []).append(named(entry))
    for note, entries in found.items():
        runs = "every run" if len(entries) == len(record.entries) else examples(entries)
        yield f"{note} ({runs})"
