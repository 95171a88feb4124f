"""The images that an evaluation kept to be shown, as its files tell them."""

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from understudy.results.evaluations import Evaluation
from understudy.results.values import listing, mapping, number, text

MOST = 48  # images, as evaluations write them
MOST_BYTES = 600_000  # of all pictures in a page: 48 of 96 x 96 pixels are 150 kB at most
LARGEST_FILE = 4_000_000  # a file of more is none of ours
BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")


class Example(NamedTuple):
    """One image with the truth and two answers."""

    image: str
    """Its name in the data set."""
    why: str
    """mistake | taught otherwise | surpassed | right"""
    label: str
    answer: str
    probability: float
    of_label: float
    """The probability given to the true class."""
    teacher: str | None
    teachers_probability: float
    webp: str
    """The picture, base64."""


class Shown(NamedTuple):
    """The images of one evaluation."""

    evaluation: Evaluation
    examples: tuple[Example, ...]
    left_out: int
    """Entries that cannot be read, or for whose pictures a page has no room."""


def examples_of(evaluations: Sequence[Evaluation]) -> Shown | None:
    """The images of the first evaluation that kept some; none without."""
    for evaluation in evaluations:
        told = _read(evaluation)
        found = tuple(_examples(told))
        if found:
            return Shown(evaluation, found, left_out=len(told) - len(found))
    return None


def _read(evaluation: Evaluation) -> list[Any]:
    place = _file(evaluation)
    if place is None:
        return []
    try:
        return listing(json.loads(place.read_text(encoding="utf-8")))
    except (OSError, ValueError, RecursionError):
        return []


def _examples(content: Sequence[Any]) -> Iterator[Example]:
    room = MOST_BYTES
    for told in map(mapping, content[:MOST]):
        example = _example(told)
        if example is None or len(example.webp) > room:
            continue
        room -= len(example.webp)
        yield example


def _file(evaluation: Evaluation) -> Path | None:
    """Where the images lie; a path that leaves the run's folder names nothing."""
    name = PurePosixPath(text(evaluation.figures.get("examples")))
    if name.suffix != ".json" or name.is_absolute() or ".." in name.parts:
        return None
    run = evaluation.entry.run.path.resolve()
    place = (run / name).resolve()
    try:
        small = place.is_relative_to(run) and place.stat().st_size <= LARGEST_FILE
    except (OSError, ValueError):
        return None
    return place if small else None


def _example(told: dict[str, Any]) -> Example | None:
    teacher, webp = mapping(told.get("teacher")), text(told.get("webp"))
    example = Example(
        image=text(told.get("image")),
        why=text(told.get("why")),
        label=text(told.get("class")),
        answer=text(told.get("answer")),
        probability=number(told.get("probability")) or 0.0,
        of_label=number(told.get("probability_of_class")) or 0.0,
        teacher=text(teacher.get("answer")) if teacher else None,
        teachers_probability=number(teacher.get("probability")) or 0.0,
        webp=webp,
    )
    return example if BASE64.fullmatch(webp) and example.label and example.answer else None
