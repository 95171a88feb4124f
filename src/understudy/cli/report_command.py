"""`understudy report`: finished runs as a table, a page, and rows; no torch."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from understudy import verbs
from understudy.cli.loudness import Loudness
from understudy.cli.plain_text import plain
from understudy.cli.runs_commands import RUNS
from understudy.core.errors import UsageError
from understudy.results.browser.screen import show as show_rows
from understudy.results.formats import listed
from understudy.results.records import StudyRecord
from understudy.results.screen import show


def report_command(
    runs: Path | None,
    *,
    rows: Sequence[str],
    html: Path | None,
    csv: Path | None,
    markdown: Path | None,
    loudness: Loudness,
) -> None:
    """Prints the table and writes what is asked for.

    Raises:
        UnderstudyError: There is nothing to report, or the disk refuses.
    """
    if rows:
        _of_files(runs, rows, html=html, csv=csv, markdown=markdown, loudness=loudness)
        return
    record = verbs.reported(runs or RUNS, html=html, csv=csv, markdown=markdown)
    show_as(loudness, record, Console(highlight=False))
    for what, path in (("Rows", csv), ("Report", html), ("Page", markdown)):
        if path:
            print(plain(f"{what}: {path}"))


def _of_files(
    runs: Path | None,
    rows: Sequence[str],
    *,
    html: Path | None,
    csv: Path | None,
    markdown: Path | None,
    loudness: Loudness,
) -> None:
    """The same of rows that stand in files."""
    asked = {"RUNS": runs, "--csv": csv, "--markdown": markdown}
    if extra := [name for name, value in asked.items() if value]:
        raise UsageError(
            f"{listed(extra)} cannot stand beside --rows: rows of files can be shown here and "
            "on a page (--html). Report runs in a command of their own."
        )
    sheet = verbs.browsed(rows, html=html)
    show_rows(sheet, Console(highlight=False), facts=loudness is not Loudness.QUIET)
    if html:
        print(plain(f"Report: {html}"))


def show_as(loudness: Loudness, record: StudyRecord, console: Console) -> None:
    """Prints the results of a study as shortly or as fully as was asked for."""
    show(
        record,
        console,
        facts=loudness is not Loudness.QUIET,
        everything=loudness is Loudness.VERBOSE,
    )
