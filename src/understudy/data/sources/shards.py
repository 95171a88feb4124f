"""Parquet files of images: what stands beside the images is read at once, the images when asked."""

import json
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from understudy.core.errors import DataError
from understudy.data.sources.walk import times_of


class Columns(NamedTuple):
    """What the columns are called."""

    image: str
    label: str


class Shard(NamedTuple):
    """One file, without its images."""

    path: Path
    name: str
    times: tuple[int, int, int]
    split: str
    labels: NDArray[np.int64]
    """[rows]; -1 where there is none, and everywhere beside `tagged`."""
    tagged: list[list[int | str | None] | None] | None
    """The labels of each row where it may have several, by number or name; None: nobody knows."""
    image_names: list[str]
    groups: list[int]
    """Rows in each row group."""
    classes: tuple[str, ...] | None
    """Names of the labels, by number; None where the file does not carry them."""

    def row_name(self, row: int) -> str:
        """What a row's image is called."""
        image = self.image_names[row]
        return f"{self.name}:{row}" + (f":{image}" if image else "")


def read_shard(path: Path, *, root: Path, columns: Columns, split: str) -> Shard:
    """Reads everything of a file but its images.

    Raises:
        DataError: It is no Parquet file, or lacks these columns in the hub's types.
    """
    with reading_parquet(path), pq.ParquetFile(path) as file:
        schema = file.schema_arrow
        _check(schema, path=path, columns=columns)
        table = file.read(columns=[f"{columns.image}.path", columns.label])
        groups = [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)]
    images = table.column(columns.image).to_pylist()
    labels, tagged = _labels(table.column(columns.label))
    return Shard(
        path=path,
        name=path.name if path == root else path.relative_to(root).as_posix(),
        times=times_of(path),
        split=split,
        labels=labels,
        tagged=tagged,
        image_names=[(image or {}).get("path") or "" for image in images],
        groups=groups,
        classes=_carried_classes(schema, columns.label),
    )


def _check(schema: pa.Schema, *, path: Path, columns: Columns) -> None:
    """Refuses other columns and types, naming those that are there."""
    found = ", ".join(f"{field.name} ({field.type})" for field in schema)
    for key, name in columns._asdict().items():
        if name not in schema.names:
            holds_images = any(pa.types.is_struct(field.type) for field in schema)
            advice = (
                f"Set `data.{key}_column`."
                if holds_images
                else "If it holds the paths of images, set `data.kind=manifest`."
            )
            raise DataError(f"{path}: no column {name!r}; found {found}. {advice}")
    image, label = schema.field(columns.image).type, schema.field(columns.label).type
    fields = {image.field(i).name for i in range(image.num_fields)}
    if not pa.types.is_struct(image) or not {"bytes", "path"} <= fields:
        raise DataError(f"{path}: the images must be {{bytes, path}}; found {found}.")
    if not pa.types.is_integer(label) and not _is_list(label):
        raise DataError(
            f"{path}: the labels must be whole numbers, or lists of numbers or names; "
            f"found {found}."
        )


def _is_list(kind: pa.DataType) -> bool:
    """Whether rows have several labels each."""
    if not (pa.types.is_list(kind) or pa.types.is_large_list(kind)):
        return False
    own = kind.value_type
    return bool(
        pa.types.is_integer(own) or pa.types.is_string(own) or pa.types.is_large_string(own)
    )


def _labels(
    column: pa.ChunkedArray,
) -> tuple[NDArray[np.int64], list[list[int | str | None] | None] | None]:
    if _is_list(column.type):
        return np.full(len(column), -1, dtype=np.int64), column.to_pylist()
    return column.fill_null(-1).to_numpy().astype(np.int64), None


def _carried_classes(schema: pa.Schema, column: str) -> tuple[str, ...] | None:
    """The class names that the hub's libraries write into the schema.

    Of lists they stand one level deeper, which versions of those libraries write in three ways.
    """
    try:
        written = json.loads((schema.metadata or {})[b"huggingface"])
        feature = written["info"]["features"][column]
        while isinstance(feature, list) or "names" not in feature:
            feature = feature[0] if isinstance(feature, list) else feature["feature"]
        names = feature["names"]
    except (KeyError, IndexError, TypeError, ValueError):
        return None
    return tuple(str(name) for name in names)


class Rows:
    """Reads single images, keeping the row groups in use: rows are asked for nearly in order."""

    def __init__(self, shards: Sequence[Shard], column: str) -> None:
        self._column = f"{column}.bytes"
        self._places = [(s.path, group) for s in shards for group in range(len(s.groups))]
        self._starts = np.cumsum([0, *(rows for s in shards for rows in s.groups)])
        self._groups: OrderedDict[int, pa.Array] = OrderedDict()
        self._lock = Lock()

    def read(self, index: int) -> bytes:
        """The file content of one row; empty where the row has none."""
        group = int(np.searchsorted(self._starts, index, side="right")) - 1
        with self._lock:
            content = self._loaded(group)[index - int(self._starts[group])]
        return content.as_buffer().to_pybytes() if content.is_valid else b""

    def _loaded(self, group: int) -> pa.Array:
        if group not in self._groups:
            path, number = self._places[group]
            with reading_parquet(path), pq.ParquetFile(path) as file:
                table = file.read_row_group(number, columns=[self._column])
            self._groups[group] = table.column(0).combine_chunks().field("bytes")
            if len(self._groups) > 2:  # threads work on a few neighbouring rows, so on two groups
                self._groups.popitem(last=False)
        return self._groups[group]


@contextmanager
def reading_parquet(path: Path) -> Iterator[None]:
    """Turns any failure to read a file into an error that names it."""
    try:
        yield
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        text = next(iter(str(error).splitlines()), type(error).__name__)
        raise DataError(f"{path}: cannot be read as Parquet ({text}).") from error
