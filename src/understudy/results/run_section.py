"""The page's list of runs: state, settings, versions and time of each."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from understudy.results.finding import setting
from understudy.results.formats import ABSENT, duration, exact
from understudy.results.html_table import Column, Datum, Record, table
from understudy.results.links import link
from understudy.results.markup import Markup, element, joined, section
from understudy.results.records import Entry, StudyRecord
from understudy.results.result_tables import swatch
from understudy.results.rows import Row
from understudy.results.values import mapping, number, text

MOST_SETTINGS = 200_000  # characters of settings in one page
MOST_OPEN = 12  # settings listed one by one; more are folded away


def runs(
    record: StudyRecord, rows: tuple[Row, ...], *, beside: Path, colours: Mapping[str, str]
) -> Markup:
    """Every run, and the settings of every configuration.

    Args:
        record: The study.
        rows: Its rows, which know what runs are of one configuration.
        beside: The folder of the page, from which runs are linked.
        colours: By name.
    """
    if not record.entries:
        return section("runs", "Runs", element("p", "No run has begun yet."))
    settings = list(_settings(record, rows))
    folded = element(
        "details",
        element("summary", f"Settings of {len(settings)} configurations"),
        *settings,
        class_="settings",
    )
    return section(
        "runs",
        "Runs",
        _table(record, beside=beside, colours=colours),
        *(
            [element("h3", "Settings", class_="settings"), *settings]
            if len(settings) <= MOST_OPEN
            else [folded]
        ),
    )


def _table(record: StudyRecord, *, beside: Path, colours: Mapping[str, str]) -> Markup:
    axes = list(dict.fromkeys(axis for entry in record.entries for axis in entry.axes))
    columns = [
        Column("Name", numeric=False),
        *(Column(axis, numeric=False) for axis in axes),
        Column("Seed"),
        Column("State", numeric=False),
        Column("Steps"),
        Column("Time"),
        Column("Precision", numeric=False),
        Column("Version", numeric=False),
        Column("Run", numeric=False),
    ]
    records = [
        Record(
            _cells(entry, axes, beside, colours), kind=None if entry.status == "finished" else "bad"
        )
        for entry in record.entries
    ]
    return table(columns, records, title="Runs")


def _cells(entry: Entry, axes: list[str], beside: Path, colours: Mapping[str, str]) -> list[Datum]:
    summary = entry.run.summary
    steps, seconds = number(summary.get("steps")), number(summary.get("seconds"))
    reason = entry.error.strip().splitlines()[0][:200] if entry.error.strip() else None
    state = joined([entry.status, element("small", f" {reason}") if reason else None])
    return [
        Datum(swatch(entry.node, colours)),
        *(Datum(entry.axes.get(axis, ABSENT)) for axis in axes),
        Datum(ABSENT if entry.seed is None else str(entry.seed), value=entry.seed),
        Datum(state, help=entry.error or None),
        Datum(exact(steps), value=steps),
        Datum(duration(seconds), value=seconds),
        Datum(text(summary.get("precision")) or ABSENT),
        Datum(text(summary.get("version")) or ABSENT),
        Datum(_link(entry, beside)),
    ]


def _link(entry: Entry, beside: Path) -> Markup | str:
    if entry.run.status == "missing":
        return ABSENT
    return link(element("code", entry.run.id), entry.run.path, beside=beside, is_folder=True)


def _settings(record: StudyRecord, rows: tuple[Row, ...]) -> Iterator[Markup]:
    """The settings and versions of each configuration, taken from its first run."""
    configurations = {row.run: row.configuration for row in rows}
    seen: set[str] = set()
    room = MOST_SETTINGS
    for entry in record.entries:
        kind = configurations.get(entry.run.id, f"{entry.study}/{entry.node}")
        if kind in seen or not entry.run.config:
            continue
        seen.add(kind)
        room -= len(entry.run.config)
        if room < 0:
            yield element("p", "The settings of further runs lie in their config.yaml.")
            return
        place = setting(entry.axes)
        title = " · ".join(part for part in (entry.node, place, f"seed {entry.seed}") if part)
        yield element(
            "details",
            element("summary", title),
            element("pre", entry.run.config.strip()),
            _environment(entry),
            class_="settings",
        )


def _environment(entry: Entry) -> Markup | None:
    environment = entry.run.environment
    flat = {**environment, **mapping(environment.get("libraries"))}
    words = [f"{name} {value}" for name, value in flat.items() if isinstance(value, str)]
    return element("p", " · ".join(words), class_="quiet") if words else None
