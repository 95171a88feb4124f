"""tuning.csv: what a study tried, as any other program can read it."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from understudy.core.csv_cells import cell, text_cell
from understudy.core.files import write_text
from understudy.results.tuned import Tuned


def write_tuning(tuned: Sequence[Tuned], path: Path) -> None:
    """Writes one row for each candidate, whole or not at all.

    Raises:
        StorageError: The disk refuses.
    """
    axes = list(
        dict.fromkeys(axis for one in tuned for each in one.candidates for axis in each.axes)
    )
    paths = list(dict.fromkeys(path for one in tuned for path in one.paths))
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    heads = ["study", "stage", *(text_cell(f"axis.{axis}") for axis in axes)]
    heads += map(text_cell, paths)
    writer.writerow([*heads, "seed", "monitor", "score", "written", "taken", "status", "run"])
    for one in tuned:
        for each in one.candidates:
            values = [each.axes.get(axis) for axis in axes] + [each.values.get(p) for p in paths]
            rest = [each.is_written, each.is_taken, each.status, each.run]
            row = [one.study, one.stage, *values, one.seed, one.monitor, each.score, *rest]
            writer.writerow([cell(value) for value in row])
    write_text(path, stream.getvalue())
