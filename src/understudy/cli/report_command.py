"""`understudy report`: finished runs as a table, a page, and rows; no torch."""

from pathlib import Path

from rich.console import Console

from understudy import verbs
from understudy.cli.loudness import Loudness
from understudy.cli.plain_text import plain
from understudy.results.records import StudyRecord
from understudy.results.screen import show


def report_command(
    runs: Path,
    *,
    html: Path | None,
    csv: Path | None,
    markdown: Path | None,
    loudness: Loudness,
) -> None:
    """Prints the table and writes what is asked for.

    Raises:
        UnderstudyError: There is nothing to report, or the disk refuses.
    """
    record = verbs.reported(runs, html=html, csv=csv, markdown=markdown)
    show_as(loudness, record, Console(highlight=False))
    for what, path in (("Rows", csv), ("Report", html), ("Page", markdown)):
        if path:
            print(plain(f"{what}: {path}"))


def show_as(loudness: Loudness, record: StudyRecord, console: Console) -> None:
    """Prints the results of a study as shortly or as fully as was asked for."""
    show(
        record,
        console,
        facts=loudness is not Loudness.QUIET,
        everything=loudness is Loudness.VERBOSE,
    )
