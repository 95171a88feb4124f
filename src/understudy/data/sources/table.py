"""Tables of text: CSV with any usual delimiter and encoding, or Parquet; every row with its place.

What spreadsheets and programs write is read as it is: UTF-8 with or without a byte order mark,
UTF-16 with one, any line ends, quoted fields with anything inside.
"""

import codecs
import csv
import io
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from understudy.core.errors import DataError
from understudy.data.sources.shards import reading_parquet

DELIMITERS = (",", ";", "\t")
_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_LINE_END = re.compile(r"\r\n|\r|\n")


class Row(NamedTuple):
    """One row."""

    place: str
    """Such as "line 7" of a text file, counted from 1, or "row 7" of a Parquet file, from 0."""
    values: list[str]
    """As many as the file gives, without blanks around them."""


class Table(NamedTuple):
    """A header and what stands below it."""

    columns: list[str]
    rows: list[Row]
    """Those that hold anything."""
    empty: int
    """Rows of empty values."""
    nested: list[str]
    """Columns of a Parquet file that hold no plain values, such as images; they are not read."""


def read_table(path: Path, *, wanted: Sequence[str]) -> Table:
    """Reads a file of any of these forms; a Parquet file is known by its first bytes.

    Args:
        path: The file.
        wanted: Columns that it probably has: they tell the delimiter.

    Raises:
        DataError: It cannot be read as a table; the message names the line.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}).") from error
    if content.startswith(b"PAR1"):
        return _of_parquet(path, content)
    return _of_text(path, _decoded(path, content), wanted)


def _decoded(path: Path, content: bytes) -> str:
    encoding = next((name for mark, name in _MARKS.items() if content.startswith(mark)), "utf-8")
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        before = content[: error.start].decode(encoding, "replace")
        line = 1 + len(_LINE_END.findall(before))
        found = content[error.start : error.start + 1].hex().upper()
        raise DataError(
            f"{path}: line {line} is no {encoding.removesuffix('-sig').upper()} text: it has the "
            f"byte {found}. Save the file again in the encoding UTF-8."
        ) from error


def _of_text(path: Path, text: str, wanted: Sequence[str]) -> Table:
    rows = list(_rows(path, text, _delimiter(text, wanted)))
    if not rows:
        raise DataError(f"{path}: is empty. Its first line must name the columns.")
    return _table(rows[0].values, rows[1:], nested=[])


def _table(columns: list[str], rows: Sequence[Row], *, nested: list[str]) -> Table:
    filled = [row for row in rows if any(row.values)]
    return Table(columns, filled, len(rows) - len(filled), nested)


def _delimiter(text: str, wanted: Sequence[str]) -> str:
    """The one that finds most of the wanted columns in the first line, or most columns at all."""
    first = next((line for line in io.StringIO(text, newline="") if line.strip()), "")

    def found(delimiter: str) -> tuple[int, int]:
        try:
            names = next(csv.reader([first], delimiter=delimiter), [])
        except csv.Error:
            return 0, 0
        known = {name.casefold() for name in wanted}
        return len(known.intersection(name.strip().casefold() for name in names)), len(names)

    return max(DELIMITERS, key=found)  # of equals the first: comma


def _rows(path: Path, text: str, delimiter: str) -> Iterator[Row]:
    """All lines that are not blank; a row of several lines is named by its first."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    last = 0
    try:
        for values in reader:
            line, last = last + 1, reader.line_num
            if values:
                yield Row(f"line {line}", [value.strip() for value in values])
    except csv.Error as error:
        raise DataError(
            f"{path}: the row that begins on line {last + 1} cannot be read ({error}). "
            "A value in quotes ends with a quote; a quote inside it is written twice."
        ) from error


def _of_parquet(path: Path, content: bytes) -> Table:
    with reading_parquet(path), pq.ParquetFile(pa.BufferReader(content)) as file:
        fields = list(file.schema_arrow)
        nested = [f.name for f in fields if pa.types.is_nested(f.type) or _is_binary(f.type)]
        columns = [field.name for field in fields if field.name not in nested]
        table = file.read(columns=columns)
        values = [_texts(table.column(number)) for number in range(len(columns))]
    rows = [Row(f"row {number}", list(row)) for number, row in enumerate(zip(*values, strict=True))]
    return _table(columns, rows, nested=nested)


def _is_binary(kind: pa.DataType) -> bool:
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _texts(column: pa.ChunkedArray) -> list[str]:
    """The values as text; nothing and "not a number" are empty, as a CSV file has them."""
    if pa.types.is_floating(column.type):
        column = pc.if_else(pc.is_nan(column), None, column)
    return [(text or "").strip() for text in column.cast(pa.string()).to_pylist()]
