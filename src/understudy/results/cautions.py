"""What limits a study's findings, in sentences computed from its rows and runs."""

from collections.abc import Iterator, Sequence

from understudy.evaluation.intervals import wilson
from understudy.results.comparison import Comparison, Contrast, Line
from understudy.results.finding import Finding, alone, began, called, place
from understudy.results.formats import exact, listed, percent, plural
from understudy.results.frozen_words import unequal
from understudy.results.leaks import sign
from understudy.results.probes import LINEAR
from understudy.results.records import IDENTITY_LENGTH, StudyRecord
from understudy.results.run_cautions import MOST_NAMED, examples, of_runs
from understudy.results.tuning_words import limits
from understudy.results.values import listing, mapping, text, whole

LUCK = "the best of many is partly luck. Choose by validation figures."
BY = {"test_top1": "", LINEAR: "by a linear probe"}
"""How the accuracies were measured that are told of teachers."""
Told = list[tuple[str, str]]
"""Where (the setting of the axes, "" where there is one alone), and a sentence about it."""


def cautions(record: StudyRecord, comparison: Comparison) -> list[Finding]:
    """Everything that a reader should hold against the tables, each once."""
    told = [
        *_reduction(record),
        *_one_seed(comparison),
        *_contrasts(comparison),
        *_guessing(record, comparison.at("last") or comparison.lines),
        *unequal(comparison),
        *_evaluation(comparison),
        *(told for one in record.tuned if (told := limits(one))),
        *of_runs(record, comparison),
    ]
    return [Finding("caution", sentence) for sentence in dict.fromkeys(told)]


def _reduction(record: StudyRecord) -> Iterator[str]:
    if record.reduced:
        yield record.reduced
    elif record.scale and record.scale != "full":
        yield f"This study ran at scale “{record.scale}”, smaller than meant."


def _one_seed(comparison: Comparison) -> Iterator[str]:
    every = (*comparison.contrasts, *comparison.frozen_contrasts)
    pairs = [one.n for contrast in every for one in contrast.differences.values()]
    if pairs and max(pairs) == 1:
        yield "One seed shows no spread, so nothing tells whether another would show the same."


def _contrasts(comparison: Comparison) -> Iterator[str]:
    last = [contrast for contrast in comparison.contrasts if contrast.checkpoint == "last"]
    known = {_sides(contrast) for contrast in last}
    every = [*last, *(one for one in comparison.frozen_contrasts if _sides(one) not in known)]
    baseline = [contrast for contrast in every if contrast.role == "baseline"]
    yield from _few(_unequal_steps(baseline), "Student and baseline did not take equal steps")
    yield from _few(_unequal_ways(baseline), "Student and baseline were computed differently")
    yield from _few(_unpaired(every), "Not every run has a partner of its seed")
    if any(_is_with_one_run(one) for one in every if one.role == "teacher"):
        yield (
            "One teacher stands against all seeds: an interval against it tells how far students "
            "of other seeds would be from this teacher, and not from another."
        )
    for told, metric in ((last, "test_top1"), (comparison.frozen_contrasts, LINEAR)):
        by = f"{sign(comparison.rows, metric)} {BY[metric]}".rstrip()
        yield from _few(_weak_teachers(told, metric), f"The teacher is weaker than the student{by}")
        yield from _few(_weaker_still(told, metric), f"The teacher is weaker than the baseline{by}")


def _sides(contrast: Contrast) -> tuple[object, ...]:
    """Who is compared with whom, in whatever figures."""
    return contrast.study, contrast.of.name, tuple(contrast.axes.items()), contrast.against.name


def _few(told: Told, summary: str) -> Iterator[str]:
    """The sentences; where there are many settings, one that counts them."""
    if len(told) > MOST_NAMED and all(where for where, _ in told):
        yield f"{summary} in {len(told)} settings: {examples([where for where, _ in told])}."
        return
    for where, sentence in told:
        yield f"{where}: {sentence}" if where else sentence


def _unequal_steps(contrasts: Sequence[Contrast]) -> Told:
    return [
        (
            place(one, contrasts),
            f"{_both(one)} did not take equally many steps: {exact(steps.mean)} against "
            f"{exact(others.mean)}.",
        )
        for one in contrasts
        if (steps := one.of.cell("steps")) and (others := one.against.cell("steps"))
        if steps.mean != others.mean
    ]


def _both(contrast: Contrast) -> str:
    return f"{began(called(contrast.of.name))} and {called(contrast.against.name)}"


def _unequal_ways(contrasts: Sequence[Contrast]) -> Told:
    return [
        (
            place(one, contrasts),
            f"{_both(one)} were computed in different ways: {listed(_ways(one.of))} against "
            f"{listed(_ways(one.against))}.",
        )
        for one in contrasts
        if _ways(one.of) != _ways(one.against)
    ]


def _ways(line: Line) -> list[str]:
    return sorted({row.precision or "not recorded" for row in line.rows})


def _unpaired(contrasts: Sequence[Contrast]) -> Told:
    return [
        (
            place(one, contrasts),
            f"Of {most} runs of {called(one.of.name)} or {called(one.other)} only "
            f"{plural(pairs, 'pair')} could be made.",
        )
        for one in contrasts
        for most in [max(len(one.of.rows), len(one.against.rows))]
        for pairs in [max(difference.n for difference in one.differences.values())]
        if pairs < most
    ]


def _is_with_one_run(contrast: Contrast) -> bool:
    return any(one.is_with_one_run for one in contrast.differences.values())


def _weak_teachers(contrasts: Sequence[Contrast], metric: str) -> Told:
    teachers = [contrast for contrast in contrasts if contrast.role == "teacher"]
    return [
        (place(one, contrasts), sentence)
        for one in teachers
        if (sentence := _weaker(one.against, one.of, metric))
    ]


def _weaker_still(contrasts: Sequence[Contrast], metric: str) -> Told:
    teachers = {id(one.of): one.against for one in contrasts if one.role == "teacher"}
    return [
        (place(one, contrasts), sentence)
        for one in contrasts
        if one.role == "baseline" and id(one.of) in teachers
        if (sentence := _weaker(teachers[id(one.of)], one.against, metric))
    ]


def _weaker(teacher: Line, other: Line, metric: str) -> str:
    own, others = teacher.cell(metric), other.cell(metric)
    if own is None or others is None or own.mean >= others.mean:
        return ""
    average = "On average the" if own.n > 1 else "The"
    return (
        f"{average} teacher is weaker than {alone(other.name)}: "
        f"{percent(own.mean)}{sign(teacher.rows, metric)} against "
        f"{percent(others.mean)}{sign(other.rows, metric)} "
        f"{' '.join(part for part in (BY[metric], 'on the test images') if part)}."
    )


def _guessing(record: StudyRecord, lines: Sequence[Line]) -> Iterator[str]:
    """Models whose interval over images reaches down to what the commonest name alone would."""
    asked = _asked(record)
    told = [
        (", ".join(part for part in (alone(line.name), place(line, lines)) if part), *known)
        for line in lines
        if (cell := line.cell("test_top1")) and (known := asked.get(line.rows[0].identity))
        if wilson(round(cell.mean * known[1]), known[1]).low <= known[0]
    ]
    mark = sign([row for line in lines for row in line.rows], "test_top1")
    same = f"better{mark} than always naming the most frequent class"
    if len(told) > MOST_NAMED:
        names = examples([name for name, _, _ in told])
        yield f"{len(told)} models are not shown to do {same}: {names}."
        return
    for name, chance, _ in told:
        yield f"{began(name)} is not shown to do {same} ({percent(chance)} of the test images)."


def _asked(record: StudyRecord) -> dict[str, tuple[float, int]]:
    """Of each model tested: the share of the most frequent class, and the number of images."""
    found: dict[str, tuple[float, int]] = {}
    for entry in record.having("evaluations"):
        if entry.run.summary.get("split") != "test":
            continue
        for one in map(mapping, listing(entry.run.summary.get("evaluations"))):
            rows = map(mapping, listing(one.get("per_class")))
            counts: list[int] = [whole(row.get("images")) or 0 for row in rows]
            images = sum(counts)
            if len(counts) > 1 and images:
                identity = text(one.get("identity"))[:IDENTITY_LENGTH]
                found[identity] = max(counts) / images, images
    return found


def _evaluation(comparison: Comparison) -> Iterator[str]:
    looked = any(row.test_top1 is not None or row.probes for row in comparison.rows)
    if comparison.lines and not looked:
        yield "No model was evaluated on the test split; figures are of validation images."
    tested = [line for line in comparison.lines if line.cell("test_top1")]
    students = {line.configuration for line in tested if line.is_student}
    if len(students) > 1:
        yield f"{len(students)} kinds of student were looked at on the test split; {LUCK}"
    kinds: dict[str, set[str]] = {}
    for line in comparison.frozen:
        kinds.setdefault(line.name, set()).add(line.configuration)
    for name, found in kinds.items():
        if len(found) > 1:
            yield f"Features of {len(found)} kinds of “{name}” were judged on test images; {LUCK}"
