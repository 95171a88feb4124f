"""One evaluation on a terminal: its checkpoints side by side."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from understudy.results.formats import ABSENT, hundredths, milliseconds

FIGURES = (("top-1 %", "top1"), ("F1 %", "macro_f1"), ("ECE %", "ece"), ("agree %", "agreement"))
PROBES = (("k-NN %", "knn_top1"), ("linear %", "linear_top1"))


def show_evaluation(summary: Mapping[str, Any], console: Console) -> None:
    """Prints the figures of an evaluation's summary: classifiers, then probed features."""
    console.print(Text(f"{summary['split']} split, {summary['images']:,} images"))
    seen = summary["evaluations"]
    if seen:
        latency = [milliseconds(each["latency_ms_1"]) for each in seen]
        console.print(_table(seen, FIGURES, {"ms": latency}))
    if summary["probes"]:
        console.print(_table(summary["probes"], PROBES, {}))


def _table(
    seen: Sequence[Mapping[str, Any]],
    figures: Sequence[tuple[str, str]],
    more: Mapping[str, Sequence[str]],
) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, header_style="dim")
    for head in ("run", "kept"):
        table.add_column(head, overflow="fold")
    for head in [*(head for head, _ in figures), *more]:
        table.add_column(head, justify="right", no_wrap=True)
    for place, each in enumerate(seen):
        values = [each.get(key) for _, key in figures]
        cells = [ABSENT if value is None else hundredths(value) for value in values]
        extra = [column[place] for column in more.values()]
        table.add_row(*map(Text, [each["run"], each["checkpoint"], *cells, *extra]))
    return table
