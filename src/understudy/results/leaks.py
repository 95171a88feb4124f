"""Figures that test images touch which a training may have seen: each carries a sign."""

from collections.abc import Iterator, Sequence

from understudy.core.leaks import SIGN
from understudy.core.leaks import told as sentence
from understudy.core.leaks import told_of_seen as sentence_of_seen
from understudy.results.binary import METRICS as OF_TWO
from understudy.results.finding import called
from understudy.results.formats import listed
from understudy.results.probes import parsed
from understudy.results.rows import Row

TOUCHED = frozenset(
    {"test_top1", "test_top5", "test_macro_f1", "test_ece", "test_nll", "agreement", *OF_TWO}
)
"""Columns that come from test images."""


def sign(rows: Sequence[Row], metric: str) -> str:
    """What stands behind a figure of these rows; "" where every test image was kept apart."""
    is_touched = metric in TOUCHED or parsed(metric) is not None
    return SIGN if is_touched and any(row.leaked or row.seen for row in rows) else ""


def caution(rows: Sequence[Row]) -> Iterator[str]:
    """Sentences on how many test images were not kept apart."""
    if told := {(row.leaked, row.test_images) for row in rows if row.leaked}:
        leaked, images = max(told, key=lambda pair: pair[0] or 0)
        yield sentence(leaked or 0, images, most="Up to " if len(told) > 1 else "")
    if shown := [row for row in rows if row.seen]:
        most = max(shown, key=lambda row: row.seen or 0)
        counts = {row.seen for row in shown}
        names = listed([called(name) for name in dict.fromkeys(row.name for row in shown)])
        yield sentence_of_seen(
            most.seen or 0, most.test_images, names, most="up to " if len(counts) > 1 else ""
        )
