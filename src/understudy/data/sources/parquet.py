"""Images inside Parquet files, in the layout of the Hugging Face hub."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from understudy.core.errors import DataError
from understudy.data.check.finding import Finding
from understudy.data.sources.listing import Entry, FileSourceSettings, Listing, existing
from understudy.data.sources.shards import Columns, Rows, Shard, read_shard
from understudy.data.sources.walk import ImageFile, stamp_of


class ParquetSettings(FileSourceSettings):
    """Parquet files whose names begin with their split: `train-*.parquet`, `test-*.parquet`.

    One column holds the images ({bytes, path}), one the labels (whole numbers; -1 or nothing:
    unlabeled). One file, or a folder of them at any depth.
    """

    kind: Literal["parquet"] = "parquet"
    path: Path
    """The file, or the folder."""
    image_column: str = "image"
    """Column of the images; some data sets call it `img`."""
    label_column: str = "label"
    """Column of the labels; some data sets call it `fine_label`."""
    classes: tuple[str, ...] | None = None
    """Class names, first that of label 0. Without it, those that the files carry; else numbers."""

    def survey(self) -> Listing:
        """All rows, in the order of the files' names."""
        root = existing(self.path, key="data.path")
        files = [root] if root.is_file() else sorted(_visible(root))
        if not files:
            raise DataError(f"data.path = {self.path}: no .parquet files found.")
        columns = Columns(image=self.image_column, label=self.label_column)
        shards = [read_shard(file, root=root, columns=columns) for file in files]
        _one_manner(shards, origin=str(self.path))
        classes = self._class_list(shards)
        times = [ImageFile(str(shard.path), shard.name, shard.times) for shard in shards]

        problems: list[Finding] = []
        entries = [entry for shard in shards for entry in _entries(shard, len(classes), problems)]
        return Listing(
            origin=str(self.path),
            classes=classes,
            entries=tuple(entries),
            read=Rows(shards, self.image_column).read,
            decoding=self.decoding,
            ignored={},
            stamp=stamp_of(root, times, also=self.image_column),
            problems=tuple(problems),
        )

    def _class_list(self, shards: Sequence[Shard]) -> tuple[str, ...]:
        if self.classes is not None:
            return self.classes
        carried = {shard.classes: shard for shard in shards if shard.classes is not None}
        if len(carried) > 1:
            lists = "; ".join(f"{s.name}: {', '.join(names)}" for names, s in carried.items())
            raise DataError(f"{self.path}: the files have different class lists: {lists}.")
        if carried:
            return next(iter(carried))
        most = max(int(shard.labels.max(initial=-1)) for shard in shards)
        return tuple(str(label) for label in range(most + 1))


def _visible(root: Path) -> Iterator[Path]:
    for path in root.rglob("*.parquet"):
        if not any(part.startswith(".") for part in path.relative_to(root).parts):
            yield path


def _one_manner(shards: Sequence[Shard], *, origin: str) -> None:
    """Refuses a mixture of files with and without a split in their names."""
    without = [shard.name for shard in shards if not shard.split]
    if without and len(without) < len(shards):
        raise DataError(
            f"{origin}: {without[0]} names no split, while others do. Let each file's name begin "
            "with train-, validation-, test- or unlabeled-, or no file's."
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
    for row, (label, image_name) in enumerate(zip(shard.labels, shard.image_names, strict=True)):
        unlabeled = not 0 <= label < num_classes or shard.split == "unlabeled"
        yield Entry(
            name=f"{shard.name}:{row}" + (f":{image_name}" if image_name else ""),
            split="unlabeled" if unlabeled else shard.split,
            label=-1 if unlabeled else int(label),
        )
