"""Tables of Markdown and what stands in their cells."""

from collections.abc import Mapping, Sequence

from understudy.results.comparison import Contrast, Line
from understudy.results.formats import ABSENT, hundredths, points
from understudy.results.leaks import sign
from understudy.results.result_tables import TITLES

GAINS = ("difference", "checkpoint", "of", "points", "95 % interval", "pairs", "shown")


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Rows under a head; "" where there is none."""
    if not rows:
        return ""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(plain(cell) for cell in cells)} |" for cells in lines)


def plain(text: str) -> str:
    """On one line, and without what Markdown or HTML would take for its own."""
    clean = " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
    return "".join(one for one in clean if one.isprintable())


def at(name: str, values: Mapping[str, str], axes: Sequence[str]) -> str:
    """`student depth=8`, with the axes that tell the rows apart."""
    return " ".join([name, *(f"{axis}={values[axis]}" for axis in axes if axis in values)])


def spread(line: Line, metric: str) -> str:
    """`61.0† ± 0.4`, in per cent."""
    cell = line.cell(metric)
    if cell is None:
        return ABSENT
    around = f" ± {hundredths(cell.sd)}" if cell.sd is not None else ""
    return hundredths(cell.mean) + sign(line.rows, metric) + around


def mean(line: Line, metric: str) -> float | None:
    """Over seeds."""
    cell = line.cell(metric)
    return cell.mean if cell else None


def gain(
    contrast: Contrast, metric: str, axes: Sequence[str], titles: Mapping[str, str] = TITLES
) -> list[str]:
    """The cells of a row under `GAINS`."""
    found = contrast.differences[metric]
    interval = ABSENT if found.low is None else f"{points(found.low)} to {points(found.high)}"
    return [
        at(contrast.title, contrast.axes, axes),
        contrast.checkpoint,
        titles[metric],
        points(found.mean) + sign((*contrast.of.rows, *contrast.against.rows), metric),
        interval,
        str(found.n),
        found.verdict,
    ]
