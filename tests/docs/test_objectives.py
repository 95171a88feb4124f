"""The page of objectives has one row for each of the catalogue, and no other."""

import re
from pathlib import Path

import pytest
from tests.beside import beside

from understudy.objectives import every_objective

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "objectives.md").read_text()
KINDS = {kind.model_fields["kind"].default: kind for kind in every_objective()}


def rows() -> list[list[str]]:
    lines = [line for line in PAGE.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def test_every_objective_has_one_row() -> None:
    assert sorted(row[0].strip("`") for row in rows()) == sorted(KINDS)


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0].strip("`"))
def test_a_row_says_what_formula_source_and_weight(row: list[str]) -> None:
    assert len(row) == 6
    assert all(row[:5])


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0].strip("`"))
def test_a_row_names_its_settings_and_other_objectives_alone(row: list[str]) -> None:
    named = set(re.findall(r"`(\w+)", " ".join(row)))
    known = set(KINDS) | {name for kind in KINDS.values() for name in kind.model_fields}

    assert named <= known | {"alpha", "jensen_shannon", "views"}


def test_every_objective_is_set_beside_another_library_or_said_to_be_ours_alone() -> None:
    (alone,) = re.findall(r"^Neither has (.*)\.$", PAGE, re.MULTILINE)
    ours_alone = re.findall(r"`(\w+)`", alone)
    compared = {name for row in beside() for name in re.findall(r"`(\w+)`", row.ours)}
    settings = {"distance", "angle", "head"}

    assert sorted({*compared - settings, *ours_alone}) == sorted(KINDS)
    assert not compared & set(ours_alone)
