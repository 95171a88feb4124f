"""What runs are worth, written where it is asked for."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # it brings pydantic
    from understudy.results.browser.sheet import Sheet
    from understudy.results.records import StudyRecord


def reported(
    place: Path, *, html: Path | None, csv: Path | None, markdown: Path | None
) -> "StudyRecord":
    """Reads what runs are worth, and writes the pages and rows that are asked for.

    Raises:
        UnderstudyError: There is nothing to report, or the disk refuses.
    """
    from understudy.core.files import make_folder
    from understudy.results.csv_file import write_csv
    from understudy.results.find import find
    from understudy.results.markdown import write_markdown
    from understudy.results.report import write_report
    from understudy.results.rows import rows_of

    record = find(place)
    if csv:
        make_folder(csv.parent)
        write_csv(rows_of(record), csv)
    if html:
        write_report(record, html)
    if markdown:
        write_markdown(record, markdown)
    return record


def browsed(files: Sequence[str], *, html: Path | None) -> "Sheet":
    """Reads rows that stand in files, and writes the page that shows them.

    Args:
        files: CSV files, each as `FILE` or as `teacher=FILE`.
        html: The page.

    Raises:
        UnderstudyError: A file cannot be read, holds no figures, or the disk refuses.
    """
    from understudy.results.browser.of_files import sheet_of
    from understudy.results.browser.tables_of_others import named, read_tables
    from understudy.results.report import write_browser

    tables = read_tables([named(file) for file in files])
    sheet = sheet_of(tables)
    if html:
        write_browser(sheet, title=tables[0].path.stem, path=html)
    return sheet
