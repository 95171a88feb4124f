"""`understudy report`: finished runs as a table, a page, and rows; no torch."""

from pathlib import Path

from rich.console import Console

from understudy import verbs
from understudy.cli.plain_text import plain
from understudy.results.screen import show


def report_command(
    runs: Path, *, html: Path | None, csv: Path | None, markdown: Path | None
) -> None:
    """Prints the table and writes what is asked for.

    Raises:
        UnderstudyError: There is nothing to report, or the disk refuses.
    """
    record = verbs.reported(runs, html=html, csv=csv, markdown=markdown)
    show(record, Console(highlight=False))
    for what, path in (("Rows", csv), ("Report", html), ("Page", markdown)):
        if path:
            print(plain(f"{what}: {path}"))
