"""`understudy report`: finished runs as a table, a page, and rows; no torch."""

from pathlib import Path

from rich.console import Console

from understudy.cli.loudness import Loudness
from understudy.cli.plain_text import plain
from understudy.core.files import make_folder
from understudy.results.csv_file import write_csv
from understudy.results.find import find
from understudy.results.markdown import write_markdown
from understudy.results.records import StudyRecord
from understudy.results.report import write_report
from understudy.results.rows import rows_of
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
    record = find(runs)
    show_as(loudness, record, Console(highlight=False))
    if csv:
        make_folder(csv.parent)
        write_csv(rows_of(record), csv)
        print(plain(f"Rows: {csv}"))
    if html:
        write_report(record, html)
        print(plain(f"Report: {html}"))
    if markdown:
        write_markdown(record, markdown)
        print(plain(f"Page: {markdown}"))


def show_as(loudness: Loudness, record: StudyRecord, console: Console) -> None:
    """Prints the results of a study as shortly or as fully as was asked for."""
    show(
        record,
        console,
        facts=loudness is not Loudness.QUIET,
        everything=loudness is Loudness.VERBOSE,
    )
