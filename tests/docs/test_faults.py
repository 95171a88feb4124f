"""The table of faults names tests that exist, and leaves out no row."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TABLE = (ROOT / "docs" / "faults.md").read_text()
ROWS = {"A": 11, "B": 21, "D": 9, "F": 13, "G": 10, "H": 7, "K": 19, "S": 10}
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", TABLE)))


def cells() -> list[list[str]]:
    lines = [line for line in TABLE.splitlines() if re.match(r"\| [A-HKS]\d+ \|", line)]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


@pytest.mark.parametrize(("path", "name"), NAMED, ids=lambda part: str(part).split("/")[-1])
def test_every_named_test_exists(path: str, name: str) -> None:
    assert re.search(rf"(?m)^def {name}\(", (ROOT / path).read_text())


def test_every_row_is_there_once_in_order() -> None:
    expected = [f"{group}{number}" for group, most in ROWS.items() for number in range(1, most + 1)]

    assert [row[0] for row in cells()] == expected


def test_a_row_without_a_test_says_why() -> None:
    for row, _, answer, test in cells():
        assert test.startswith("`tests/") or answer.startswith(("does not apply: ", "not yet: ")), (
            row
        )
