"""The rows of a manifest: each an image that is there, or a mistake with its line."""

import os
import stat
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePath
from typing import NamedTuple

from understudy.core.errors import DataError
from understudy.data.sources.listing import SPLIT_NAMES, split_of
from understudy.data.sources.manifest_columns import Positions
from understudy.data.sources.table import Row, Table
from understudy.data.sources.walk import ImageFile

MOST_SHOWN = 10  # of each kind of mistake


class Image(NamedTuple):
    """One row that is right in itself."""

    place: str
    file: ImageFile
    label: str
    """Class name; "" for none."""
    split: str
    group: str


class _Wrong(Exception):
    """What is wrong with one row.

    Args:
        kind: What to count it by, with what to do about it.
        found: What the row has.
    """

    def __init__(self, kind: str, found: str) -> None:
        super().__init__(kind, found)
        self.kind, self.found = kind, found


class _Root(NamedTuple):
    """The folder that relative paths start from."""

    path: Path
    absolute: tuple[str, ...]
    """Itself and what it is a link to, as absolute paths may begin."""


def images_of(
    table: Table, positions: Positions, *, root: Path, origin: str, ignored: Counter[str]
) -> list[Image]:
    """The images of all rows, sorted by name.

    Args:
        table: What was read.
        positions: Its columns.
        root: The folder that relative paths start from.
        origin: The file, as messages name it.
        ignored: Counts what is read over: rows of empty values, labels of unlabeled images.

    Raises:
        DataError: Some rows are wrong; of each kind of mistake the first ten are named.
    """
    ignored["row of empty values"] += table.empty
    start = _Root(root, (os.path.abspath(root), os.path.realpath(root)))
    images: list[Image] = []
    wrong: dict[str, list[str]] = {}
    for row in table.rows:
        try:
            images.append(_image(row, len(table.columns), positions, start, ignored))
        except _Wrong as mistake:
            wrong.setdefault(mistake.kind, []).append(f"{row.place}: {mistake.found}")
    for kind, found in [*_repeated(images), *_undecided(images)]:
        wrong.setdefault(kind, []).append(found)
    if wrong:
        raise DataError(_told(wrong, origin))
    return sorted(images, key=lambda image: image.file.name)


def _image(row: Row, width: int, positions: Positions, root: _Root, ignored: Counter[str]) -> Image:
    if len(row.values) != width:
        kind = f"more or fewer values than the {width} of the first line"
        raise _Wrong(kind, f"{len(row.values)} values")
    path, label = row.values[positions.path], row.values[positions.label]
    word = "" if positions.split is None else row.values[positions.split]
    group = "" if positions.group is None else row.values[positions.group]
    file = _file(path, root)
    split = split_of(word) if word else ""
    if split is None:
        known = ", ".join(name for names in SPLIT_NAMES.values() for name in names)
        raise _Wrong(f"no known split; known are {known}", repr(word))
    if split == "unlabeled" and label:
        ignored["label of an image in the split `unlabeled`"] += 1
        label = ""
    if not label and split in ("val", "test"):
        kind = "no label, though for validation or test; such images may be in `unlabeled`"
        raise _Wrong(kind, path)
    return Image(row.place, file, label, split if label else "unlabeled", group)


def _file(path: str, root: _Root) -> ImageFile:
    """The file that a path names, and its name below the root."""
    if not path:
        raise _Wrong("no path", "empty")
    written = _below(path, root)
    # Tables written under Windows have backslashes, which no file name there can hold.
    for spelling in dict.fromkeys([written, written.replace("\\", "/")]):
        name = os.path.normpath(spelling).replace(os.sep, "/")
        place = os.path.join(root.path, name)
        try:
            found = os.stat(place)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except (OSError, ValueError) as error:  # ValueError: a null character
            raise _Wrong("no file that can be read", f"{path!r} ({error})") from error
        if not stat.S_ISREG(found.st_mode):
            raise _Wrong("no file, but a folder or device", path)
        return ImageFile(place, name, (found.st_size, found.st_mtime_ns, found.st_ctime_ns))
    raise _Wrong(
        f"no such file below {root.absolute[0]}; `data.root=FOLDER` names where paths start", path
    )


def _below(path: str, root: _Root) -> str:
    if not os.path.isabs(path):
        return path
    place = PurePath(os.path.normpath(path))
    base = next((base for base in root.absolute if place.is_relative_to(base)), None)
    if base is None:
        kind = (
            f"an absolute path outside {root.absolute[0]}; "
            "set `data.root` to a folder around all images"
        )
        raise _Wrong(kind, path)
    return str(place.relative_to(base))


def _repeated(images: Sequence[Image]) -> Iterator[tuple[str, str]]:
    """Files that several rows name, and what the rows say of each."""
    by_name: dict[str, list[Image]] = {}
    for image in images:
        by_name.setdefault(image.file.name, []).append(image)
    for name, same in by_name.items():
        if len(same) < 2:
            continue
        if len({image.label for image in same}) > 1:
            said = ", ".join(f"{image.label!r} ({image.place})" for image in same)
            yield "one image under several labels", f"{name}: {said}"
        else:
            said = ", ".join(f"{image.place} ({image.split or 'no split'})" for image in same)
            yield "one image more than once", f"{name}: {said}"


def _undecided(images: Sequence[Image]) -> Iterator[tuple[str, str]]:
    """Images of no split, where others are for training: are these, too, or for nothing?"""
    if any(image.split == "train" for image in images):
        for image in images:
            if not image.split:
                yield "no split, while others have one", f"{image.place}: {image.file.name}"


def _told(wrong: Mapping[str, Sequence[str]], origin: str) -> str:
    count = sum(map(len, wrong.values()))
    mistakes = "1 mistake" if count == 1 else f"{count} mistakes"
    lines = [f"{origin}: {mistakes}; correct the table, or take these rows away."]
    for kind, found in wrong.items():
        lines.append(f"  {len(found)} x {kind}:")
        lines += [f"    {sentence}" for sentence in found[:MOST_SHOWN]]
        if len(found) > MOST_SHOWN:
            lines.append(f"    and {len(found) - MOST_SHOWN} more")
    return "\n".join(lines)
