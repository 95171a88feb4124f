"""What was found of frozen features, in sentences computed from the rows."""

from collections.abc import Iterator, Sequence

from understudy.results.comparison import Comparison, Line
from understudy.results.finding import called, place
from understudy.results.formats import exact, listed, percent, plural, points
from understudy.results.frozen import LABELS, Standing, average, columns, standings
from understudy.results.leaks import sign
from understudy.results.probes import LINEAR

MOST_TOLD = 4  # models told one by one; the table tells of more


def told(found: Comparison) -> Iterator[str]:
    """What each model's frozen features reach, and how near students come to their teachers."""
    if 0 < len(found.frozen) <= MOST_TOLD:
        yield from (_level(line, found.frozen) for line in found.frozen)
    all_standings = standings(found)
    students = [one for one in all_standings if one.of_teacher]
    together = average(all_standings)
    if together is None:
        yield from (_alone(one) for one in students)
        return
    mark = sign(found.rows, LINEAR)
    parts = []
    if (share := together.teacher_mean) is not None:
        parts.append(
            f"reach {percent(share)}{mark} of their teacher's linear accuracy "
            f"({percent(min(together.of_teacher))} to {percent(max(together.of_teacher))})"
        )
    if (gain := together.baseline_mean) is not None:
        low, high = min(together.over_baseline), max(together.over_baseline)
        parts.append(
            f"differ from their baseline by {points(gain)}{mark} points "
            f"({points(low)} to {points(high)})"
        )
    counted = {len(each) for each in (together.of_teacher, together.over_baseline) if each}
    lacking = (
        f"; {listed([str(number) for number in sorted(counted)])} of them have one to compare with"
        if counted != {together.students}
        else ""
    )
    yield (
        f"On average over all {together.students} students probed, frozen features {listed(parts)}"
        f"{lacking}."
    )


def unequal(found: Comparison) -> Iterator[str]:
    """Features that are compared although their probes know different numbers of labels."""
    counts = {
        (of.mean, against.mean): (one.of.name, one.against.name)
        for one in found.frozen_contrasts
        if (of := one.of.cell(LABELS)) and (against := one.against.cell(LABELS))
        if of.mean != against.mean
    }
    for (labels, others), (name, other) in counts.items():
        yield (
            f"With the probes of their features, {called(name)} and {called(other)} have seen "
            f"different numbers of labels: {exact(labels)} against {exact(others)}."
        )


def _level(line: Line, among: Sequence[Line]) -> str:
    where = place(line, among)
    figures = [
        f"{percent(cell.mean)}{sign(line.rows, metric)} by {_by(what.title)}"
        for metric, what in columns([line])
        if what.figure == "top1" and what.share == 1 and (cell := line.cell(metric))
    ]
    labels = line.cell(LABELS)
    known = f", with {exact(labels.mean)} labels" if labels else ""
    runs = plural(len({row.run for row in line.rows}), "run")
    return (
        f"{where + ': ' if where else ''}On the test images the frozen features of "
        f"{called(line.name)} reach {listed(figures)}{known} ({runs})."
    )


def _by(title: str) -> str:
    return "a linear probe" if title == "linear" else f"{title.replace(' ', ' of ')} neighbours"


def _alone(one: Standing) -> str:
    cell = one.of_teacher
    assert cell is not None, "only those with a teacher are told"
    spread = f", ± {percent(cell.sd)} over {plural(cell.n, 'seed')}" if cell.sd is not None else ""
    mark = sign(one.line.rows, LINEAR)
    return (
        f"Frozen, {called(one.line.name)} has {percent(cell.mean)}{mark} of the linear accuracy of "
        f"its teacher{spread}."
    )
