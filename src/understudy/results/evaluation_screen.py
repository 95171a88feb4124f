"""One evaluation on a terminal: its checkpoints side by side."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from understudy.core.leaks import SIGN, told
from understudy.results.formats import ABSENT, hundredths, milliseconds
from understudy.results.plain import plain_for

FIGURES = (("top-1 %", "top1"), ("F1 %", "macro_f1"), ("ECE %", "ece"), ("agree %", "agreement"))
OF_ENSEMBLES = (("apart %", "disagreement"),)
PROBES = (("k-NN %", "knn_top1"), ("linear %", "linear_top1"))


def show_evaluation(summary: Mapping[str, Any], console: Console) -> None:
    """Prints the figures of an evaluation's summary: classifiers, then probed features."""
    console.print(Text(f"{summary['split']} split, {summary['images']:,} images"))
    leaked = summary.get("leaked") or 0
    mark = plain_for(SIGN, console) if leaked else ""
    seen = summary["evaluations"]
    if seen:
        latency = [milliseconds(each["latency_ms_1"]) for each in seen]
        some = any(each.get("disagreement") is not None for each in seen)
        figures = (*FIGURES, *OF_ENSEMBLES) if some else FIGURES
        console.print(_table(seen, figures, {"ms": latency}, mark))
    if summary["probes"]:
        console.print(_table(summary["probes"], PROBES, {}, mark))
    if leaked:
        sentence = told(leaked, summary["images"], split=summary["split"])
        console.print(Text(plain_for(sentence, console), style="yellow"))


def _table(
    seen: Sequence[Mapping[str, Any]],
    figures: Sequence[tuple[str, str]],
    more: Mapping[str, Sequence[str]],
    mark: str,
) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, header_style="dim")
    for head in ("run", "kept"):
        table.add_column(head, overflow="fold")
    for head in [*(head for head, _ in figures), *more]:
        table.add_column(head, justify="right", no_wrap=True)
    for place, each in enumerate(seen):
        values = [each.get(key) for _, key in figures]
        cells = [ABSENT if value is None else hundredths(value) + mark for value in values]
        extra = [column[place] for column in more.values()]
        table.add_row(*map(Text, [each["run"], each["checkpoint"], *cells, *extra]))
    return table
