"""The page's section of exported models: which files can be handed on, and what each is worth."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from understudy.results.formats import ABSENT, hundredths, size
from understudy.results.html_table import Column, Datum, Record, table
from understudy.results.leaks import sign
from understudy.results.links import link
from understudy.results.markup import Markup, element, joined, section
from understudy.results.records import IDENTITY_LENGTH, Entry, StudyRecord
from understudy.results.rows import Row
from understudy.results.values import mapping, number, text, whole

HANDED_ON = ("README.md", "predict.py")
"""What a reader opens beside the file."""


def models(record: StudyRecord, rows: Sequence[Row], *, beside: Path) -> Markup | None:
    """Every exported file, with the figures of the very checkpoint that it holds.

    Args:
        record: The study.
        rows: Its rows.
        beside: The folder of the page, from which files are linked.
    """
    exports = [entry for entry in record.having("parity") if _file(entry)]
    if not exports:
        return None
    by_checkpoint = {(row.study, row.identity, row.checkpoint): row for row in rows}
    axes = list(dict.fromkeys(axis for entry in exports for axis in entry.axes))
    eight_bits = any(mapping(entry.run.summary.get("int8")) for entry in exports)
    columns = [
        Column("File", numeric=False),
        *(Column(axis, numeric=False) for axis in axes),
        Column("Seed"),
        Column("Checkpoint", numeric=False, help="Of the training whose weights it holds"),
        Column("Validation %", help="Top-1 accuracy of this checkpoint on validation"),
        Column("Test %", help="Top-1 accuracy of this checkpoint on the test split"),
        Column("Size"),
        Column("Temperature", help="Divides the logits; fitted on validation labels"),
        *([Column("In eight bits", numeric=False)] if eight_bits else []),
        Column("Beside it", numeric=False),
    ]
    records = [
        Record(_cells(entry, _row(entry, by_checkpoint), axes, eight_bits, beside))
        for entry in exports
    ]
    return section(
        "models",
        "Models",
        table(columns, records, title="Exported models"),
        element("p", _reading(exports), class_="quiet note"),
    )


def _reading(exports: Sequence[Entry]) -> str:
    choice = " To choose among them, go by validation." if len(exports) > 1 else ""
    kept = any(whole(mapping(one.run.summary.get("golden")).get("images")) for one in exports)
    images = " golden.npz holds training images: keep it back where they must not leave."
    return (
        "A folder can be handed on: the file takes raw pixels, README.md is its model card, and "
        "predict.py, with pixels.py beside it, needs nothing of understudy."
        f"{images if kept else ''}{choice}"
    )


def _file(entry: Entry) -> str:
    """The name of the exported file; a path that leaves the run's folder names nothing."""
    name = text(entry.run.summary.get("file"))
    return name if name == Path(name).name else ""


def _row(entry: Entry, rows: Mapping[tuple[str, str, str], Row]) -> Row | None:
    identity = text(entry.run.parents.get("model", {}).get("identity"))[:IDENTITY_LENGTH]
    return rows.get((entry.study, identity, text(entry.run.summary.get("checkpoint"))))


def _cells(
    entry: Entry, row: Row | None, axes: Sequence[str], eight_bits: bool, beside: Path
) -> list[Datum]:
    summary, folder = entry.run.summary, entry.run.path
    fitted = mapping(summary.get("temperature"))
    temperature = number(fitted.get("value")) if whole(fitted.get("labels")) else None
    figures = {metric: getattr(row, metric, None) for metric in ("val_top1", "test_top1")}
    return [
        Datum(link(element("code", _file(entry)), folder / _file(entry), beside=beside)),
        *(Datum(entry.axes.get(axis, ABSENT)) for axis in axes),
        Datum(ABSENT if entry.seed is None else str(entry.seed), value=entry.seed),
        Datum(text(summary.get("checkpoint")) or ABSENT),
        *(
            Datum(
                ABSENT if value is None or row is None else hundredths(value) + sign([row], metric),
                value=value,
            )
            for metric, value in figures.items()
        ),
        Datum(size(number(summary.get("file_bytes"))), value=number(summary.get("file_bytes"))),
        Datum(ABSENT if temperature is None else f"{temperature:.2f}", value=temperature),
        *([_eight_bits(entry, beside)] if eight_bits else []),
        Datum(_others(folder, beside)),
    ]


def _eight_bits(entry: Entry, beside: Path) -> Datum:
    found = mapping(entry.run.summary.get("int8"))
    name = text(found.get("file"))
    if not name or name != Path(name).name:
        return Datum(ABSENT)
    verdict = "recommended here" if found.get("recommended") is True else "not recommended"
    told = link(element("code", name), entry.run.path / name, beside=beside)
    return Datum(joined([told, element("small", f" {verdict}")]))


def _others(folder: Path, beside: Path) -> Markup:
    """Links to what lies there; an export of before may have less."""
    there = [name for name in HANDED_ON if (folder / name).is_file()]
    parts = [link(element("code", name), folder / name, beside=beside) for name in there]
    return joined([part if not at else joined([" ", part]) for at, part in enumerate(parts)])
