"""One evaluation on a terminal: its checkpoints side by side."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from understudy.core.leaks import SIGN, told, told_of_seen
from understudy.results.formats import ABSENT, hundredths, milliseconds
from understudy.results.frozen import is_main, ordered, short
from understudy.results.plain import plain_for
from understudy.results.probes import PREFIX, figures_of, parsed

FIGURES = (("top-1 %", "top1"), ("F1 %", "macro_f1"), ("ECE %", "ece"), ("agree %", "agreement"))
OF_TWO = (("F1 %", "f1"), ("AUC %", "auc"))
OF_ENSEMBLES = (("apart %", "disagreement"),)


def show_evaluation(summary: Mapping[str, Any], console: Console) -> None:
    """Prints the figures of an evaluation's summary: classifiers, then probed features."""
    console.print(Text(f"{summary['split']} split, {summary['images']:,} images"))
    leaked = summary.get("leaked") or 0
    sign = plain_for(SIGN, console)

    def mark(each: Mapping[str, Any]) -> str:
        return sign if leaked or each.get("seen") else ""

    seen = summary["evaluations"]
    if seen:
        latency = [milliseconds(each["latency_ms_1"]) for each in seen]
        some = any(each.get("disagreement") is not None for each in seen)
        figures = (*FIGURES, *OF_ENSEMBLES) if some else FIGURES
        if positive := next(
            (each["binary"]["positive"] for each in seen if each.get("binary")), ""
        ):
            console.print(Text(plain_for(f"F1 and AUC of {positive}", console), style="dim"))
            figures = (FIGURES[0], *OF_TWO, *figures[2:])
            seen = [{**each, **(each.get("binary") or {})} for each in seen]
        console.print(_table(seen, figures, {"ms": latency}, mark))
    if summary["probes"]:
        figures_of_each = [figures_of(each) for each in summary["probes"]]
        probed = [
            {**{key: each.get(key) for key in ("run", "checkpoint", "seen")}, **figures}
            for each, figures in zip(summary["probes"], figures_of_each, strict=True)
        ]
        console.print(_table(probed, _probes(figures_of_each), {}, mark))
    if leaked:
        sentence = told(leaked, summary["images"], split=summary["split"])
        console.print(Text(plain_for(sentence, console), style="yellow"))
    learned = {
        each["run"]: each["seen"]
        for each in (*summary["evaluations"], *summary["probes"])
        if each.get("seen")
    }
    for run, count in learned.items():
        sentence = told_of_seen(count, summary["images"], run, split=summary["split"])
        console.print(Text(plain_for(sentence, console), style="yellow"))


def _probes(probed: Sequence[Mapping[str, float]]) -> list[tuple[str, str]]:
    """A column for each top-1 of k-NN and of linear probes, those with few labels among them."""
    names = dict.fromkeys(name for each in probed for name in each)
    found = [(name, what) for name in names if (what := parsed(PREFIX + name))]
    shown = [pair for pair in found if is_main(pair[1]) and pair[1].figure == "top1"]
    return [(f"{short(what)} %".replace("% %", "%"), name) for name, what in ordered(shown)]


def _table(
    seen: Sequence[Mapping[str, Any]],
    figures: Sequence[tuple[str, str]],
    more: Mapping[str, Sequence[str]],
    mark: Callable[[Mapping[str, Any]], str],
) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, header_style="dim")
    for head in ("run", "kept"):
        table.add_column(head, overflow="fold")
    for head in [*(head for head, _ in figures), *more]:
        table.add_column(head, justify="right", no_wrap=True)
    for place, each in enumerate(seen):
        values = [each.get(key) for _, key in figures]
        cells = [ABSENT if value is None else hundredths(value) + mark(each) for value in values]
        extra = [column[place] for column in more.values()]
        table.add_row(*map(Text, [each["run"], each["checkpoint"], *cells, *extra]))
    return table
