"""CSV files as other programs write them: a head, then a row for each model."""

import csv
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from understudy.core.wording import headed
from understudy.results.browser.sheet import BASELINE, STUDENT, TEACHER
from understudy.results.errors import ReportError
from understudy.results.formats import listed

ROLES = (STUDENT, TEACHER, BASELINE)
ROLED = re.compile(rf"({'|'.join(ROLES)})=(.+)", re.DOTALL)
LARGEST = 64 * 2**20  # bytes; a million rows are no page


class Named(NamedTuple):
    """A file, and what its rows are where the user says so."""

    path: Path
    role: str = ""


class Table(NamedTuple):
    """One file."""

    path: Path
    role: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def named(word: str) -> Named:
    """`FILE`, or `teacher=FILE` where the role is said; a file of such a name is itself."""
    found = ROLED.fullmatch(word)
    if found is None or Path(word).exists():
        return Named(Path(word))
    return Named(Path(found[2]), found[1])


def read_tables(files: Sequence[Named]) -> list[Table]:
    """All files, or all that is wrong with them.

    Raises:
        ReportError: One cannot be read, is no table, or holds no row.
    """
    told = [_read(one) for one in files]
    twice = {one.path for one in files if [other.path for other in files].count(one.path) > 1}
    wrong = [one for one in told if isinstance(one, str)]
    wrong += [f"{path}: named twice; give each file once." for path in sorted(twice)]
    if wrong:
        raise ReportError(headed("--rows", wrong))
    return [one for one in told if isinstance(one, Table)]


def _read(file: Named) -> Table | str:
    path, role = file
    try:
        if path.stat().st_size > LARGEST:
            return f"{path}: larger than 64 MB, which no page can hold; give fewer rows."
        with path.open(encoding="utf-8-sig", newline="") as stream:
            lines = [line for line in csv.reader(stream, strict=True) if line]
    except OSError as error:
        return f"{path}: cannot be read ({error.strerror}). Give a CSV file with a head."
    except (UnicodeDecodeError, csv.Error) as error:
        return f"{path}: is no CSV file in UTF-8 ({str(error).splitlines()[0]})."
    except ValueError:  # NUL
        return f"{str(path)!r}: holds a character that no path has. Give a CSV file with a head."
    if len(lines) < 2:
        return f"{path}: holds no row; a head and at least one row are needed."
    return next(_mistakes(path, lines), None) or Table(
        path, role, tuple(map(str.strip, lines[0])), tuple(map(tuple, lines[1:]))
    )


def _mistakes(path: Path, lines: Sequence[Sequence[str]]) -> Iterator[str]:
    head = [one.strip() for one in lines[0]]
    twice = sorted({one for one in head if head.count(one) > 1})
    if twice:
        yield f"{path}: the head names {listed(twice)} more than once; rename all but one."
    if len(head) == 1:
        yield f"{path}: one column alone, {head[0]!r}; columns are to be parted by commas."
    odd = [place for place, line in enumerate(lines[1:], 1) if len(line) != len(head)]
    if odd:
        found = len(lines[odd[0]])
        yield (
            f"{path}: {len(odd)} of {len(lines) - 1} rows have not the {len(head)} cells of the "
            f"head; the first is row {odd[0]} with {found}."
        )
