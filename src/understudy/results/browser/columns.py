"""What the columns of a table are that others wrote: axes, figures, or names of its rows."""

import re
from collections.abc import Sequence
from math import isfinite
from typing import Literal

from understudy.results.browser.sheet import MOST_VALUES

Kind = Literal["axis", "figure", "label", "index"]
ABSENT = frozenset({"", "nan", "none", "null", "na", "n/a", "–", "-"})
FIGURES = re.compile(
    r"(.*[_ ])?(loss|nll|acc|accuracy|top-?[15]|precision|recall|specificity|auc|auroc|f-?[0-9.]+|"
    r"map|ece|brier|kappa|mcc|agreement|tp|fp|tn|fn|parameters|params|macs|flops|latency.*|"
    r"seconds|minutes|hours|time|size|bytes|epochs|steps)([_ @%].*)?"
)
"""Names of figures, which are such however often a value comes again."""
WHOLE = re.compile(r"([+-]?[0-9]+)\.0+")
MOST_NUMBERS = 24  # of an axis of numbers; beyond, they are measured


def is_absent(cell: str) -> bool:
    """Whether nothing was written there, in one of the ways in which programs say so."""
    return cell.strip().lower() in ABSENT


def number(cell: str) -> float | None:
    """The cell as a finite number; a loss that ran away is none."""
    return value if is_numeric(cell) and isfinite(value := float(cell)) else None


def is_numeric(cell: str) -> bool:
    """Whether the cell is a number, also an infinite one."""
    try:
        float(cell)
    except ValueError:
        return False
    return True


def spelled(cell: str) -> str:
    """The value of an axis in one spelling: pandas writes 10 as 10.0 where a column has gaps."""
    found = WHOLE.fullmatch(cell)
    return found[1] if found else cell


def kind_of(name: str, cells: Sequence[str]) -> Kind:
    """What a column is, by its name and by what stands in it.

    Args:
        name: Its head; pandas leaves that of its index empty.
        cells: Of every row, of all files that have the column.
    """
    told = [cell for cell in cells if not is_absent(cell)]
    distinct = len(set(told))
    numeric = all(map(is_numeric, told))
    if (not name or name.startswith("Unnamed:")) and numeric:
        return "index"
    if not numeric:
        repeats = distinct < len(told) or len(told) == 1
        return "axis" if repeats and distinct <= MOST_VALUES else "label"
    if name.lower() == "seed":
        return "axis"
    if FIGURES.fullmatch(name.lower()):
        return "figure"
    comes_again = distinct <= MOST_NUMBERS and 3 * distinct <= len(told)
    return "axis" if comes_again else "figure"
