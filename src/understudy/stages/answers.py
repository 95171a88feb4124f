"""Answers to images in a file, as somebody stored them: read, compared by name, refused if odd."""

import zipfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from understudy.core.errors import DataError
from understudy.core.settings import FilePath, Settings
from understudy.data.pack import Pack
from understudy.data.sources.listing import quoted
from understudy.data.sources.table import read_table
from understudy.stages.material import Indices

LEAST_PROBABILITY = 1e-8  # what a stored probability of zero counts for: logits are logarithms
SUM_TOLERANCE = 0.01  # of the probabilities of an image, which were rounded when they were stored


class AnswersSettings(Settings):
    """Stored answers in place of a teacher: one for each image, whatever view of it is seen."""

    file: FilePath
    """A CSV or Parquet file with a column for the image and one for each class; or an npz file
    with the arrays `names`, `classes` and `logits`."""
    image: str = "image"
    """The column that names the images as the data do: in a folder, `class/file.png`."""
    are: Literal["logits", "probabilities"] = "logits"
    """What the numbers are; of probabilities the logarithm is taken, of zero that of 1e-8."""


class Answers(NamedTuple):
    """What a file says of the images that were asked for."""

    logits: NDArray[np.float32]
    """[n, K], of the data's classes, in their order."""
    others: int
    """Rows about other images."""


class _File(NamedTuple):
    names: Sequence[str]
    classes: Sequence[str]
    values: NDArray[np.float64]
    """[rows, classes]."""


def answers_to(settings: AnswersSettings, pack: Pack, images: Indices, *, by_name: bool) -> Answers:
    """Reads what is stored of some images.

    Args:
        settings: Where, and how to read it.
        pack: The images.
        images: Positions in the pack of those that need an answer.
        by_name: Whether further classes in the file are left out, and not refused.

    Raises:
        DataError: The file cannot be read, lacks images or classes, or holds what is no answer.
    """
    path = settings.file
    found = _arrays(path) if zipfile.is_zipfile(path) else _table(path, settings.image, pack)
    columns = _columns(path, found.classes, pack, by_name=by_name)
    twice = [name for name, number in Counter(found.names).items() if number > 1]
    if twice:
        raise DataError(f"{path}: answers more than once to {quoted(twice)}.")
    places = {name: row for row, name in enumerate(found.names)}
    wanted = [pack.names[position] for position in images]
    lacking = [name for name in wanted if name not in places]
    if lacking:
        raise DataError(
            f"{path}: has no answer to {len(lacking):,} of {len(wanted):,} images: "
            f"{quoted(lacking)}; it names images such as "
            f"{quoted(list(found.names[:2]))}. Store answers to all of them, or set "
            "`transfer=labelled` where those are the labeled ones."
        )
    values = found.values[[places[name] for name in wanted]]
    if not np.isfinite(values).all():
        (bad, *_) = np.flatnonzero(~np.isfinite(values).all(axis=1))
        raise DataError(f"{path}: its answer to {wanted[bad]!r} is NaN or infinite.")
    logits = _logits(values, settings, wanted)[:, columns]
    return Answers(logits.astype(np.float32), len(found.names) - len(wanted))


def _logits(
    values: NDArray[np.float64], settings: AnswersSettings, names: Sequence[str]
) -> NDArray[np.float64]:
    if settings.are == "logits":
        return values
    is_odd = (values < 0).any(axis=1) | (np.abs(values.sum(axis=1) - 1) > SUM_TOLERANCE)
    if is_odd.any():
        bad = int(np.flatnonzero(is_odd)[0])
        raise DataError(
            f"{settings.file}: its answer to {names[bad]!r} is no list of probabilities: they sum "
            f"to {values[bad].sum():.4g}, the least is {values[bad].min():.4g}. Set "
            "`answers.are=logits` if they are logits."
        )
    return np.log(np.maximum(values, LEAST_PROBABILITY))


def _columns(path: Path, classes: Sequence[str], pack: Pack, *, by_name: bool) -> list[int]:
    """Where the data's classes stand."""
    lacking = [name for name in pack.classes if name not in classes]
    if lacking:
        raise DataError(
            f"{path}: knows {len(classes)} classes, but not {quoted(lacking)} of the data; it has "
            f"{quoted(classes)}."
        )
    extra = [name for name in classes if name not in pack.classes]
    if extra and not by_name:
        raise DataError(
            f"{path}: its classes are not those of the data: it has {quoted(extra)} "
            "beside them. Set `teacher_classes=by_name` to look the data's up among them."
        )
    return [classes.index(name) for name in pack.classes]


def _table(path: Path, image: str, pack: Pack) -> _File:
    table = read_table(path, wanted=[image, *pack.classes])
    if table.columns.count(image) != 1:
        raise DataError(
            f"{path}: has {table.columns.count(image) or 'no'} column {image!r}; its columns are "
            f"{quoted(table.columns)}. Set `answers.image`."
        )
    at = table.columns.index(image)
    classes = [column for place, column in enumerate(table.columns) if place != at]
    twice = [name for name, number in Counter(classes).items() if number > 1]
    if twice:
        raise DataError(f"{path}: has the columns {quoted(twice)} more than once.")
    values = np.empty((len(table.rows), len(classes)))
    for row, read in enumerate(table.rows):
        numbers = [value for place, value in enumerate(read.values) if place != at]
        try:
            values[row] = [float(number) for number in numbers]
        except ValueError as error:
            raise DataError(
                f"{path}: {read.place} holds no number for each of {len(classes)} classes ({error})"
            ) from error
    return _File([read.values[at] for read in table.rows], classes, values)


def _arrays(path: Path) -> _File:
    try:
        with np.load(path, allow_pickle=False) as found:
            names, classes, logits = (found[key] for key in ("names", "classes", "logits"))
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise DataError(
            f"{path}: cannot be read ({error}). An npz file of answers has the arrays `names` [n], "
            "`classes` [K] and `logits` [n, K], of text, text and numbers."
        ) from error
    if logits.shape != (len(names), len(classes)) or logits.dtype.kind not in "fiu":
        raise DataError(
            f"{path}: `logits` is {logits.dtype} {list(logits.shape)}, but there are {len(names)} "
            f"names and {len(classes)} classes."
        )
    return _File(names.astype(str).tolist(), classes.astype(str).tolist(), logits.astype(float))
