"""Images inside Parquet files, in the layout of the Hugging Face hub."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from understudy.core.errors import DataError
from understudy.data.check.finding import Finding
from understudy.data.sources.file_source import FileSourceSettings, Found
from understudy.data.sources.listing import Entry, existing, split_of
from understudy.data.sources.several_labels import entries_of, have_several, names_in
from understudy.data.sources.shards import Columns, Rows, Shard, read_shard
from understudy.data.sources.walk import ImageFile

_PART = re.compile(r"(.*-)(\d{5})-of-(\d{5})(.*)")
"""The hub's names for the parts of a split."""


class ShardSettings(FileSourceSettings):
    """Base of sources whose images lie in Parquet files."""

    image_column: str = "image"
    """Column of the images; some data sets call it `img`."""
    label_column: str = "label"
    """Column of the labels; some data sets call it `fine_label`. Where it holds lists, an image has
    several: `schemes` make classes of them."""
    classes: tuple[str, ...] | None = None
    """Class names, first that of label 0. Without it, those that the files carry; else numbers."""

    def rows(
        self,
        splits: Mapping[Path, str],
        *,
        root: Path,
        origin: str,
        ignored: Mapping[str, int],
    ) -> Found:
        """All rows of some files.

        Args:
            splits: The split of each file, in the order of the rows; "" where none is given.
            root: The folder that the files' names start from, or the only file.
            origin: The source, as messages name it.
            ignored: Files that are no part of the data, by reason.

        Raises:
            DataError: A file cannot be read, a part is missing, or they do not fit together.
        """
        columns = Columns(image=self.image_column, label=self.label_column)
        shards = [
            read_shard(file, root=root, columns=columns, split=split)
            for file, split in splits.items()
        ]
        _whole([shard.name for shard in shards], origin=origin)
        problems: list[Finding] = []
        tags: tuple[str, ...] = ()
        classes: tuple[str, ...] = ()
        if have_several(shards, origin=origin):
            tags = self.classes or _carried(shards, origin=origin) or names_in(shards)
            entries = [one for shard in shards for one in entries_of(shard, tags, problems)]
        else:
            classes = self._class_list(shards, origin=origin)
            entries = [one for shard in shards for one in _entries(shard, len(classes), problems)]
        return Found(
            origin=origin,
            root=root,
            classes=classes,
            tags=tags,
            entries=entries,
            read=Rows(shards, self.image_column).read,
            files=[ImageFile(str(shard.path), shard.name, shard.times) for shard in shards],
            ignored=ignored,
            also=self.image_column,
            problems=tuple(problems),
        )

    def _class_list(self, shards: Sequence[Shard], *, origin: str) -> tuple[str, ...]:
        if self.classes is not None:
            return self.classes
        if carried := _carried(shards, origin=origin):
            return carried
        most = max(int(shard.labels.max(initial=-1)) for shard in shards)
        return tuple(str(label) for label in range(most + 1))


class ParquetSettings(ShardSettings):
    """Parquet files whose names begin with their split: `train-*.parquet`, `test-*.parquet`.

    One column holds the images ({bytes, path}), one the labels: whole numbers (-1 or nothing:
    unlabeled), or lists of numbers or names where an image has several (nothing: unlabeled). One
    file, or a folder of them at any depth.
    """

    kind: Literal["parquet"] = "parquet"
    path: Path
    """The file, or the folder."""

    def found(self) -> Found:
        """All rows, in the order of the files' names."""
        root = existing(self.path, key="data.path")
        files = [root] if root.is_file() else sorted(parquet_files(root))
        if not files:
            raise DataError(f"data.path = {self.path}: no .parquet files found.")
        splits = {file: split_of_file(file) for file in files}
        _one_manner(splits, root=root, origin=str(self.path))
        return self.rows(splits, root=root, origin=str(self.path), ignored={})


def parquet_files(root: Path) -> Iterator[Path]:
    """All Parquet files at any depth but hidden ones."""
    for path in root.rglob("*.parquet"):
        if not any(part.startswith(".") for part in path.relative_to(root).parts):
            yield path


def split_of_file(path: Path) -> str:
    """The split that the name of a file or of its folder tells; "" where neither does."""
    return split_of(path.stem.split("-")[0]) or split_of(path.parent.name) or ""


def _one_manner(splits: Mapping[Path, str], *, root: Path, origin: str) -> None:
    """Refuses a mixture of files with and without a split in their names."""
    without = [path for path, split in splits.items() if not split]
    if without and len(without) < len(splits):
        raise DataError(
            f"{origin}: {without[0].relative_to(root).as_posix()} names no split, while others do. "
            "Let each file's name begin with train-, validation-, test- or unlabeled-, or no "
            "file's."
        )


def _whole(names: Sequence[str], *, origin: str) -> None:
    """Refuses a split of which only some parts are there, as after a download that broke off."""
    there = set(names)
    families = {part.group(1, 3, 4) for name in names if (part := _PART.fullmatch(name))}
    missing = [
        name
        for beginning, total, ending in sorted(families)
        for number in range(int(total))
        if (name := f"{beginning}{number:05}-of-{total}{ending}") not in there
    ]
    if missing:
        raise DataError(
            f"{origin}: {len(missing)} of the files are missing, such as {missing[0]}. "
            "Download the data set again, or rename the files if this is all there is."
        )


def _entries(shard: Shard, num_classes: int, problems: list[Finding]) -> Iterator[Entry]:
    outside = np.flatnonzero((shard.labels < -1) | (shard.labels >= num_classes))
    if len(outside):
        row = outside[0]
        sentence = (
            f"{shard.name}: row {row} has label {shard.labels[row]}; "
            f"there are {num_classes} classes, so 0 to {num_classes - 1}, or -1 for unlabeled."
        )
        problems.append(Finding("label outside", "error", sentence, (), len(outside)))
    without = int(np.count_nonzero(shard.labels == -1))
    if without and shard.split in ("val", "test"):
        sentence = (
            f"{shard.name}: {without} rows of the {shard.split} split have no label. "
            "Remove the file, or rename it to begin with `unlabeled-`."
        )
        problems.append(Finding("no label", "error", sentence, (), without))
    for row, label in enumerate(shard.labels):
        unlabeled = not 0 <= label < num_classes or shard.split == "unlabeled"
        yield Entry(
            name=shard.row_name(row),
            split="unlabeled" if unlabeled else shard.split,
            label=-1 if unlabeled else int(label),
        )


def _carried(shards: Sequence[Shard], *, origin: str) -> tuple[str, ...]:
    """The names that the files carry; none where they carry none."""
    carried = {shard.classes: shard for shard in shards if shard.classes is not None}
    if len(carried) > 1:
        lists = "; ".join(f"{s.name}: {', '.join(names)}" for names, s in carried.items())
        raise DataError(f"{origin}: the files have different class lists: {lists}.")
    return next(iter(carried), ())
