"""rows.csv: the rows as any other program can read them."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from understudy.core.csv_cells import cell, text_cell
from understudy.core.files import write_text
from understudy.results.rows import Row

BEFORE_AXES = ("study", "stage", "name", "checkpoint", "seed")
AFTER_AXES = (
    *("parameters", "labels", "steps", "seconds", "precision", "val_top1"),
    *("test_top1", "test_top5", "test_macro_f1", "test_ece", "agreement", "latency_ms"),
    *("run", "parents", "version"),
)


def write_csv(rows: Sequence[Row], path: Path) -> None:
    """Writes rows.csv whole or not at all; the `axis.*` columns stand after the seed.

    Numbers are written with all their digits, what was not measured as an empty cell. A text
    that a spreadsheet would take for a formula gets an apostrophe in front.

    Raises:
        StorageError: The disk refuses.
    """
    axes = list(dict.fromkeys(axis for row in rows for axis in row.axes))
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([*BEFORE_AXES, *(text_cell(f"axis.{axis}") for axis in axes), *AFTER_AXES])
    for row in rows:
        values = [getattr(row, column) for column in BEFORE_AXES]
        values += [row.axes.get(axis) for axis in axes]
        values += [getattr(row, column) for column in AFTER_AXES]
        writer.writerow([cell(value) for value in values])
    write_text(path, stream.getvalue())
