"""A table of images: their paths, labels, splits and groups."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from understudy.core.errors import UsageError
from understudy.core.settings import Added
from understudy.data.sources.class_list import class_list
from understudy.data.sources.file_source import FileSourceSettings, Found, reading
from understudy.data.sources.listing import Entry, existing
from understudy.data.sources.manifest_columns import USUAL, positions
from understudy.data.sources.manifest_rows import Image, images_of
from understudy.data.sources.table import read_table


class ManifestSettings(FileSourceSettings):
    """A table with a row for each image: .csv, .tsv, .txt or .parquet.

    Columns `path`, `label` (a class name; empty: unlabeled) and, where there are any, `split`
    (train, val, test, unlabeled; without the column we split) and `group` (what must stay on one
    side of every split, such as a scene or a patient). Further columns are not read.
    """

    kind: Literal["manifest"] = "manifest"
    path: Path
    """The file: values between commas, semicolons or tabs, in UTF-8, or Parquet."""
    root: Path | None = None
    """The folder that the images' paths start from; by default that of the file."""
    path_column: str = USUAL["path"]
    """Column of the images' paths; some data sets call it `file_name`."""
    label_column: str = USUAL["label"]
    """Column of the class names."""
    label_separator: Annotated[Annotated[str, Field(min_length=1)] | None, Added()] = None
    """Stands between the labels of an image that may have several, such as `;`: `schemes` make
    classes of them."""
    split_column: str = USUAL["split"]
    """Column of the splits; a table may do without."""
    group_column: str = USUAL["group"]
    """Column of the groups; a table may do without."""

    def found(self) -> Found:
        """All rows, sorted by path: their order in the table is of no account."""
        origin = str(self.path)
        file = existing(self.path, key="data.path")
        if not file.is_file():
            raise UsageError(
                f"data.path = {origin}: is no file. Name the table, or set `data.kind=folder`."
            )
        root = file.parent if self.root is None else existing(self.root, key="data.root")
        names = {role: getattr(self, f"{role}_column") for role in USUAL}
        table = read_table(file, wanted=list(names.values()))
        where = positions(table, names, origin=origin)
        ignored: Counter[str] = Counter()
        images = images_of(table, where, root=root, origin=origin, ignored=ignored)
        tags, tagged = _tags(images, self.label_separator)
        single = [image._replace(label="") if tags else image for image in images]
        classes, problems = class_list((image.split, image.label or None) for image in single)
        labels = {name: label for label, name in enumerate(classes)} | {"": -1}
        files = [image.file for image in images]
        return Found(
            origin=origin,
            root=root,
            classes=classes,
            entries=[
                Entry(image.file.name, image.split, labels[image.label], image.group, own)
                for image, own in zip(single, tagged, strict=True)
            ],
            read=reading(files),
            files=files,
            ignored=ignored,
            problems=tuple(problems),
            tags=tags,
        )


def _tags(
    images: Sequence[Image], separator: str | None
) -> tuple[tuple[str, ...], list[tuple[int, ...] | None]]:
    """Every label there is, and the places of each image's; nothing where each has one."""
    if separator is None:
        return (), [None] * len(images)
    sets = [
        {label for part in image.label.split(separator) if (label := part.strip())}
        for image in images
    ]
    tags = tuple(sorted(set().union(*sets)))
    numbers = {label: number for number, label in enumerate(tags)}
    return tags, [tuple(sorted(numbers[one] for one in own)) if own else None for own in sets]
