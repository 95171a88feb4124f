"""Rows of Parquet files whose label column holds lists: each image has several labels, or none."""

from collections.abc import Iterator, Sequence

from understudy.core.errors import DataError
from understudy.data.check.finding import Finding
from understudy.data.sources.listing import Entry
from understudy.data.sources.shards import Shard

SINGLE, EMPTY = "one label for each row", "empty lists"


def have_several(shards: Sequence[Shard], *, origin: str) -> bool:
    """Whether rows have lists of labels.

    Raises:
        DataError: Files have labels of different kinds.
    """
    kinds = {_kind_of(shard): shard.name for shard in shards}
    if kinds.keys() == {SINGLE}:
        return False
    if SINGLE in kinds or len(kinds.keys() - {EMPTY}) > 1:
        told = ", ".join(f"{name} has {kind}" for kind, name in kinds.items())
        raise DataError(f"{origin}: the files have labels of different kinds: {told}.")
    return True


def names_in(shards: Sequence[Shard]) -> tuple[str, ...]:
    """What labels are called where nobody names them: by themselves, or by their numbers."""
    every = {label for shard in shards for row in shard.tagged or () for label in row or ()}
    named = sorted(label for label in every if isinstance(label, str))
    numbers = [label for label in every if isinstance(label, int)]
    return tuple(named or map(str, range(max(numbers, default=-1) + 1)))


def entries_of(shard: Shard, names: Sequence[str], problems: list[Finding]) -> Iterator[Entry]:
    """Rows with several labels each; an empty list is a row with none of them."""
    positions: dict[int | str | None, int] = {
        **{name: place for place, name in enumerate(names)},
        **{place: place for place in range(len(names))},
    }
    outside: list[int] = []
    twice: list[int] = []
    for row, labels in enumerate(shard.tagged or ()):
        places = [positions[label] for label in labels or () if label in positions]
        if len(places) < len(labels or ()):
            outside.append(row)
        if len(set(places)) < len(places):
            twice.append(row)
        is_known = labels is not None and shard.split != "unlabeled"
        yield Entry(
            name=shard.row_name(row),
            split=shard.split,
            label=-1,
            tags=tuple(sorted(set(places))) if is_known else None,
        )
    if outside:
        sentence = (
            f"{shard.name}: row {outside[0]} has labels {(shard.tagged or [])[outside[0]]}; known "
            f"are {', '.join(names)}, or their numbers 0 to {len(names) - 1}."
        )
        problems.append(Finding("label outside", "error", sentence, (), len(outside)))
    if twice:
        sentence = (
            f"{shard.name}: row {twice[0]} names a label twice: {(shard.tagged or [])[twice[0]]}. "
            "Lists hold the labels that an image has, not a 0 or 1 for each."
        )
        problems.append(Finding("label twice", "error", sentence, (), len(twice)))


def _kind_of(shard: Shard) -> str:
    if shard.tagged is None:
        return SINGLE
    label = next((one for row in shard.tagged for one in row or () if one is not None), None)
    return (
        EMPTY if label is None else f"lists of {'names' if isinstance(label, str) else 'numbers'}"
    )
