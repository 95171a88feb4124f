"""Which column of a manifest means what."""

import difflib
from collections.abc import Mapping
from typing import NamedTuple

from understudy.core.errors import DataError
from understudy.core.wording import closest, headed
from understudy.data.sources.table import Table

SURELY_MEANT = 0.8  # difflib's ratio: `groups` for `group`, `Splits` for `split`
USUAL = {"path": "path", "label": "label", "split": "split", "group": "group"}
"""What each column is called where the settings do not say otherwise."""
OPTIONAL = ("split", "group")
"""A table may do without, unless the settings name such a column."""


class Positions(NamedTuple):
    """Where a row has its values."""

    path: int
    label: int
    split: int | None
    group: int | None


def positions(table: Table, names: Mapping[str, str], *, origin: str) -> Positions:
    """Finds the columns; upper and lower case count as equal where only one column fits.

    Args:
        table: What was read.
        names: What the columns of `USUAL` are called.
        origin: The file, as messages name it.

    Raises:
        DataError: Columns are missing, stand twice, or are called nearly as one that would change
            what is done; all are named.
    """
    found = {role: _places(table.columns, name) for role, name in names.items()}
    used = {place for places in found.values() for place in places}
    others = [column for place, column in enumerate(table.columns) if place not in used]
    mistakes = [
        mistake
        for role, name in names.items()
        if (mistake := _mistake(role, name, found[role], others))
    ]
    if mistakes:
        shown = ", ".join(map(repr, table.columns)) or "none"
        nested = (
            f" {', '.join(map(repr, table.nested))} cannot be read as text; images inside a "
            "Parquet file are read with `data.kind=parquet`."
            if table.nested
            else ""
        )
        columns = f"The first line names the columns: {shown}.{nested}"
        raise DataError(f"{headed(origin, mistakes)}\n{columns}")
    split, group = (next(iter(found[role]), None) for role in OPTIONAL)
    return Positions(found["path"][0], found["label"][0], split, group)


def _places(columns: list[str], name: str) -> list[int]:
    exact = [number for number, column in enumerate(columns) if column == name]
    folded = [n for n, column in enumerate(columns) if column.casefold() == name.casefold()]
    return exact or folded


def _mistake(role: str, name: str, places: list[int], others: list[str]) -> str | None:
    """What is wrong with the column of one role; `others`: the columns that no role has."""
    if len(places) > 1:
        return f"{name}  stands {len(places)} times; give the others another name"
    if places:
        return None
    if role not in OPTIONAL or name != USUAL[role]:
        close = closest(name, others)
        guess = f"did you mean {close!r}? " if close else ""
        return f"{name}  no such column; {guess}`data.{role}_column=NAME` names another"
    folded = {column.casefold(): column for column in others}
    near = difflib.get_close_matches(name, folded, n=1, cutoff=SURELY_MEANT)
    if not near:
        return None
    column = folded[near[0]]
    return (
        f"{column}  is nearly `{name}`: set `data.{role}_column={column}` if it is meant, "
        "or give it another name"
    )
