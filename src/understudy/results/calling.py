"""What a plot calls its runs, and the colour of each: a name, or a setting where these differ."""

from collections.abc import Callable, Collection, Mapping, Sequence

from understudy.results.colours import SERIES
from understudy.results.curves import node
from understudy.results.records import Entry

MOST_NAMES = 12  # of more settings, those of a name share a colour
LEGEND, LETTERS = 26, 40  # pixels of a line of a legend, and how many letters stand in it


def calling(entries: Sequence[Entry]) -> Callable[[Entry], str]:
    """What tells the runs apart: the study's name for them, and the axes in which they differ."""
    nodes = {entry.node for entry in entries}
    axes = dict.fromkeys(axis for entry in entries for axis in entry.axes)
    telling = [axis for axis in axes if len({entry.axes.get(axis) for entry in entries}) > 1]

    def called(entry: Entry) -> str:
        values = [entry.axes[axis] for axis in telling if axis in entry.axes]
        return " · ".join([*([entry.node] if len(nodes) > 1 or not values else []), *values])

    return called if len({called(entry) for entry in entries}) <= MOST_NAMES else node


def apart(
    entries: Sequence[Entry], colours: Mapping[str, str]
) -> tuple[Callable[[Entry], str], dict[str, str]]:
    """What tells the runs of a plot apart, and the colour of each such name.

    Args:
        entries: Runs to draw.
        colours: By the study's name for a run; a setting of one has a colour of its own.
    """
    called = calling(entries)
    names = {called(entry): entry.node for entry in entries}
    painted = {
        name: colours[own] if name == own else SERIES[place % len(SERIES)]
        for place, (name, own) in enumerate(names.items())
    }
    return called, painted


def with_legend(height: int, names: Collection[str]) -> int:
    """The height in pixels of a plot whose legend has these names; the more lines, the higher."""
    letters = sum(len(name) + 6 for name in names)  # 6: the sample of the line before it
    return height + LEGEND * max(0, letters // LETTERS - 1)
