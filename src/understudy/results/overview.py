"""The top of the page: what was studied, what came out, and what limits it."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from understudy.results.comparison import Comparison, Contrast
from understudy.results.facts import smaller
from understudy.results.finding import Finding
from understudy.results.findings import METRICS, metric_of
from understudy.results.formats import count, hundredths, milliseconds, percent, plural, points
from understudy.results.leaks import sign
from understudy.results.markup import Child, Markup, element, joined
from understudy.results.records import StudyRecord
from understudy.results.values import text

UNIT = re.compile(r"(?<=\d) (?=[%kMG]|ms\b|points\b)")  # no line begins with a unit


def header(record: StudyRecord) -> Markup:
    """Title and a line of what, how many, when, with which code."""
    seeds = {entry.seed for entry in record.entries if entry.seed is not None}
    finished = sum(entry.status == "finished" for entry in record.entries)
    dates = [text(entry.run.summary.get("finished"))[:10] for entry in record.entries]
    versions = {text(entry.run.summary.get("version")) for entry in record.entries} - {""}
    parts = [
        f"Study {record.name}",
        plural(len(seeds), "seed") if seeds else "",
        f"{finished} of {plural(len(record.entries), 'run')} finished",
        f"last on {max(dates)}" if any(dates) else "",
        f"understudy {next(iter(versions))}" if len(versions) == 1 else "",
    ]
    return element(
        "header",
        element("h1", record.title),
        element("p", " · ".join(part for part in parts if part), class_="quiet"),
        _parameters(record),
    )


def _parameters(record: StudyRecord) -> Markup | None:
    if not record.parameters:
        return None
    pairs = [
        joined([element("dt", name), element("dd", value)])
        for name, value in _flat(record.parameters)
    ]
    return element(
        "details", element("summary", "Parameters"), element("dl", *pairs), class_="settings"
    )


def _flat(parameters: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    """Every parameter as the command line would name it."""
    for key, value in parameters.items():
        name = f"{above}{key}"
        if isinstance(value, dict) and value:
            yield from _flat(value, f"{name}.")
        else:
            yield name, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def headline(comparison: Comparison) -> Markup | None:
    """Four large figures; only where there is one student, for else they would be a choice.

    Of several baselines the one that leaves the least gain is shown.
    """
    last = [one for one in comparison.contrasts if one.checkpoint == "last"]
    told = [one for one in last if one.role == "baseline" and metric_of(one)]
    metric = next((name for name in METRICS if any(name in one.differences for one in told)), "")
    baselines = [one for one in told if metric in one.differences]
    teacher = [one for one in last if one.role == "teacher"]
    if not baselines or len({id(one.of) for one in baselines}) > 1 or len(teacher) > 1:
        return None
    hardest = min(baselines, key=lambda one: one.differences[metric].mean)
    tiles = [*_accuracy(hardest), *(_cost(teacher[0]) if teacher else [])]
    return element("section", *tiles, class_="tiles", aria_label="In four figures")


def _accuracy(contrast: Contrast) -> list[Markup]:
    metric = metric_of(contrast) or ""
    cell, gain = contrast.of.cell(metric), contrast.differences[metric]
    if cell is None:
        return []
    mark = sign((*contrast.of.rows, *contrast.against.rows), metric)
    spread = None if cell.sd is None else element("small", f" ± {hundredths(cell.sd)}")
    evidence = (
        ("one seed, no spread known" if gain.n == 1 else "equal in all seeds: no interval")
        if gain.low is None
        else f"95 % interval {points(gain.low)} to {points(gain.high)}"
    )
    return [
        _tile(
            joined([percent(cell.mean), sign(contrast.of.rows, metric), spread]),
            f"{METRICS[metric]} of {contrast.of.name}, {plural(cell.n, 'seed')}",
            accent=True,
        ),
        _tile(
            element("span", points(gain.mean), mark, element("small", " points")),
            f"over {contrast.against.name}, {evidence}",
        ),
    ]


def _cost(contrast: Contrast) -> list[Markup]:
    small, large = contrast.of.cell("parameters"), contrast.against.cell("parameters")
    fast, slow = contrast.of.cell("latency_ms"), contrast.against.cell("latency_ms")
    other = contrast.against.name
    tiles = []
    if small and large and (ratio := smaller(small.mean, large.mean)):
        told = f"{ratio} fewer than {other} ({count(large.mean)})"
        tiles.append(_tile(element("span", count(small.mean)), f"parameters, {told}"))
    if fast and slow:
        figure = element("span", milliseconds(fast.mean), element("small", " ms"))
        told = f"per image on one thread; {other} {milliseconds(slow.mean)} ms"
        tiles.append(_tile(figure, told))
    return tiles


def _tile(figure: Child, told: str, *, accent: bool = False) -> Markup:
    return element(
        "div",
        element("p", figure, class_="figure accent" if accent else "figure"),
        element("p", UNIT.sub("\u00a0", told), class_="quiet"),
    )


def told(findings: Sequence[Finding]) -> Markup:
    """All findings: results large, facts small, cautions apart."""
    results, facts, cautions = (
        [element("li", UNIT.sub("\u00a0", one.text)) for one in findings if one.kind == kind]
        for kind in ("result", "fact", "caution")
    )
    return element(
        "section",
        element("h2", "Findings"),
        element("ul", *results, class_="results") if results else None,
        element("ul", *facts, class_="facts") if facts else None,
        element("aside", element("h3", "To keep in mind"), element("ul", *cautions))
        if cautions
        else None,
        id="findings",
    )
