"""What the rows say of questions that anyone asks of them: pairs of rows, and what they differ in.

The pairs are found here, once. Tables here and on a terminal, and the page's script for whatever a
reader filters, only average over them.
"""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from statistics import fmean
from typing import NamedTuple

from understudy.results.browser.sheet import BASELINE, ROLE, STUDENT, TEACHER, Run, Sheet
from understudy.results.tables import Difference, difference

Pair = tuple[int, int]
"""Places of two rows: of one, against the other."""
ALL = "all"


class Question(NamedTuple):
    """A difference that is asked for."""

    title: str
    """`student − teacher`."""
    axis: str
    """In which the two rows of a pair differ by intent; "" for what one learned from."""
    pairs: tuple[Pair, ...]


class Answer(NamedTuple):
    """What the pairs of one setting say."""

    setting: tuple[str, ...]
    """Of the axes that the answers are split by; empty for all pairs together."""
    pairs: int
    higher: int
    """Pairs in which the first is above the other."""
    found: Difference
    """Over what counts as one: pairs that share a teacher or a row count once, by their mean."""


def questions(sheet: Sheet) -> list[Question]:
    """Whatever these rows can be asked: of teachers, baselines, optimizers and the last labels."""
    found = [
        *_descent(sheet, f"{STUDENT} − {TEACHER}", lambda run: run.teacher),
        *_descent(sheet, f"{STUDENT} − {BASELINE}", lambda run: run.baseline),
        *(
            Question(f"{one.of} − {one.against}", one.axis, _opposite(sheet, *one))
            for one in sheet.opposites
        ),
        *_last_step(sheet),
    ]
    return [one for one in found if one.pairs]


def _descent(sheet: Sheet, title: str, other: Callable[[Run], int | None]) -> Iterator[Question]:
    found = ((place, other(run)) for place, run in enumerate(sheet.runs))
    yield Question(title, "", tuple((of, against) for of, against in found if against is not None))


def _last_step(sheet: Sheet) -> Iterator[Question]:
    """From the last but one to the last value that plots run along: 50 to 100 % of labels."""
    axis = sheet.axis(sheet.along or "")
    if axis is None or not axis.numbers or len(axis.values) < 3:
        return
    before, last = axis.values[-2:]
    title = f"{axis.name} {last} − {before}"
    yield Question(title, axis.name, _opposite(sheet, axis.name, last, before))


def _opposite(sheet: Sheet, axis: str, of: str, against: str) -> tuple[Pair, ...]:
    """Rows of one value of an axis beside those of the other that agree in every other axis."""
    others: dict[Hashable, int] = {}
    for place, run in enumerate(sheet.runs):
        if run.axes.get(axis) == against:
            others.setdefault(_without(run, axis), place)
    return tuple(
        (place, others[key])
        for place, run in enumerate(sheet.runs)
        if run.axes.get(axis) == of and (key := _without(run, axis)) in others
    )


def _without(run: Run, axis: str) -> Hashable:
    return frozenset((name, value) for name, value in run.axes.items() if name != axis)


def answers(
    sheet: Sheet, question: Question, metric: str, *, by: Sequence[str], among: Sequence[int]
) -> list[Answer]:
    """The answer over all pairs, then one for each setting of the axes it is split by.

    Args:
        sheet: The rows.
        question: What is asked.
        metric: A figure that rows have.
        by: Axes to split the answer by.
        among: Places of the rows whose pairs count.
    """
    counted = set(among)
    values = {
        pair: sheet.runs[pair[0]].figures[metric] - sheet.runs[pair[1]].figures[metric]
        for pair in question.pairs
        if pair[0] in counted and all(metric in sheet.runs[one].figures for one in pair)
    }
    groups: dict[tuple[str, ...], list[Pair]] = {(): list(values)} if values else {}
    for pair in values if by else ():
        axes = sheet.runs[pair[0]].axes
        groups.setdefault(tuple(axes.get(name, "–") for name in by), []).append(pair)
    places = {axis.name: {value: at for at, value in enumerate(axis.values)} for axis in sheet.axes}
    ranked = sorted(
        groups, key=lambda one: [places[name].get(v, -1) for name, v in zip(by, one, strict=False)]
    )
    return [_answer(sheet, setting, groups[setting], values) for setting in ranked]


def _answer(
    sheet: Sheet, setting: tuple[str, ...], pairs: Sequence[Pair], values: Mapping[Pair, float]
) -> Answer:
    """Students of one teacher repeat its answers: they are one observation of it, not several."""
    together: dict[int, list[float]] = {}
    for pair, group in zip(pairs, _groups(sheet, pairs), strict=True):
        together.setdefault(group, []).append(values[pair])
    means = [fmean(one) for one in together.values()]
    higher = sum(values[pair] > 0 for pair in pairs)
    return Answer(setting, len(pairs), higher, difference(means, seeds=[None] * len(means)))


def _groups(sheet: Sheet, pairs: Sequence[Pair]) -> list[int]:
    """Of each pair a number that it has in common with all that share a row with it, or a teacher.

    Also by way of others: what shares with what shares is no second observation either.
    """
    leader: dict[int, int] = {}

    def first(row: int) -> int:
        while (above := leader.setdefault(row, row)) != row:
            leader[row] = leader.get(above, above)
            row = above
        return row

    ends = [(_origin(sheet, of), _origin(sheet, against)) for of, against in pairs]
    for of, against in ends:
        leader[first(of)] = first(against)
    return [first(of) for of, _ in ends]


def _origin(sheet: Sheet, place: int) -> int:
    teacher = sheet.runs[place].teacher
    return place if teacher is None else teacher


def splits(sheet: Sheet, question: Question, *, along: str, panels: str, group: str) -> list[str]:
    """The axes of a view that a question is split by: never the one that it is about.

    A step along the plot's own axis is split by what the plot tells apart instead. An axis of very
    many values splits nothing: each would have one pair.
    """
    wanted = dict.fromkeys([panels, group if question.axis == along else along])
    axes = [axis for name in wanted if (axis := sheet.axis(name)) and axis.can_split]
    return [axis.name for axis in axes if axis.name not in (question.axis, ROLE)]
