"""rows.csv: the rows as any other program can read them."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from understudy.core.csv_cells import cell, text_cell
from understudy.core.files import write_text
from understudy.results.binary import METRICS as OF_TWO
from understudy.results.probes import PREFIX
from understudy.results.rows import Row
from understudy.results.tables import value_of

BEFORE_AXES = ("study", "stage", "name", "checkpoint", "seed")
AFTER_AXES = (
    *("parameters", "labels", "steps", "seconds", "precision", "val_top1"),
    *("test_top1", "test_top5", "test_macro_f1", "test_ece", "agreement", "latency_ms"),
    *("run", "parents", "version", "leaked"),
)


def as_mappings(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """The rows by the columns of rows.csv, values as they are: None where nothing was measured."""
    axes, probes, of_some = _axes(rows), _probes(rows), _of_some(rows)
    return [
        {column: getattr(row, column) for column in BEFORE_AXES}
        | {f"axis.{axis}": row.axes.get(axis) for axis in axes}
        | {column: getattr(row, column) for column in AFTER_AXES}
        | {metric: value_of(row, metric) for metric in of_some}
        | {f"{PREFIX}{name}": row.probes.get(name) for name in probes}
        for row in rows
    ]


def write_csv(rows: Sequence[Row], path: Path) -> None:
    """Writes rows.csv whole or not at all.

    `axis.*` stands after the seed; at the end what only some rows have, and `probe.*`.
    Numbers are written with all their digits, what was not measured as an empty cell. A text
    that a spreadsheet would take for a formula gets an apostrophe in front.

    Raises:
        StorageError: The disk refuses.
    """
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    axes = [f"axis.{axis}" for axis in _axes(rows)]
    probes = [f"{PREFIX}{name}" for name in _probes(rows)]
    writer.writerow([*BEFORE_AXES, *map(text_cell, axes), *AFTER_AXES, *_of_some(rows), *probes])
    for row in as_mappings(rows):
        writer.writerow([cell(value) for value in row.values()])
    write_text(path, stream.getvalue())


def _axes(rows: Sequence[Row]) -> list[str]:
    return list(dict.fromkeys(axis for row in rows for axis in row.axes))


def _probes(rows: Sequence[Row]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in row.probes))


def _of_some(rows: Sequence[Row]) -> tuple[str, ...]:
    """Columns that stand there where any row has them: of training batches, and of two classes."""
    of_batches = ("train_top1",) if any(row.train_top1 is not None for row in rows) else ()
    return (*of_batches, *(OF_TWO if any(row.binary for row in rows) else ()))
