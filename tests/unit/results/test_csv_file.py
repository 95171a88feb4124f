import csv
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from understudy.results.csv_file import write_csv
from understudy.results.find import find
from understudy.results.rows import Row, rows_of

CONTRACT = (
    "study,stage,name,checkpoint,seed,parameters,labels,steps,seconds,precision,val_top1,"
    "test_top1,test_top5,test_macro_f1,test_ece,agreement,latency_ms,run,parents,version,leaked"
)


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.fixture
def row(study: Path) -> Row:
    return rows_of(find(study))[-2]


def test_the_columns_are_those_of_the_contract(row: Row, tmp_path: Path) -> None:
    write_csv([row], tmp_path / "rows.csv")

    assert (tmp_path / "rows.csv").read_text().splitlines()[0] == CONTRACT


def test_axes_stand_after_the_seed(tree: Any, tmp_path: Path) -> None:
    tree.train("baseline", 1)
    tree.train("student", 1, axes={"depth": 8, "method": "dkd"})

    write_csv(rows_of(find(tree.study())), tmp_path / "rows.csv")

    assert list(read(tmp_path / "rows.csv")[0])[4:8] == [
        *("seed", "axis.depth", "axis.method", "parameters")
    ]
    assert [one["axis.depth"] for one in read(tmp_path / "rows.csv")] == ["", "", "8", "8"]


def test_a_study_without_rows_has_its_heads(tmp_path: Path) -> None:
    write_csv([], tmp_path / "rows.csv")

    assert (tmp_path / "rows.csv").read_text() == f"{CONTRACT}\n"


def test_numbers_come_back_with_every_digit(row: Row, tmp_path: Path) -> None:
    write_csv([replace(row, test_top1=1 / 3, latency_ms=None)], tmp_path / "rows.csv")

    found = read(tmp_path / "rows.csv")[0]

    assert float(found["test_top1"]) == 1 / 3
    assert found["latency_ms"] == ""
    assert found["seed"] == "3"


@pytest.mark.parametrize("text", ['=HYPERLINK("x")', "+1", "-1", "@sum", "\t=1", "\r=1", "\n=1"])
def test_a_text_that_looks_like_a_formula_is_defused(row: Row, tmp_path: Path, text: str) -> None:
    write_csv([replace(row, name=text, axes={"a": text}, parents=(text,))], tmp_path / "rows.csv")

    with (tmp_path / "rows.csv").open(newline="") as stream:
        heads, cells = csv.reader(stream)

    assert len(cells) == len(heads)
    assert cells.count("'" + text.replace("\r", "\n")) == 3
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\n"))]


def test_a_negative_number_stays_a_number(row: Row, tmp_path: Path) -> None:
    write_csv([replace(row, test_ece=-0.5)], tmp_path / "rows.csv")

    assert read(tmp_path / "rows.csv")[0]["test_ece"] == "-0.5"


def test_commas_quotes_and_lines_come_back(row: Row, tmp_path: Path) -> None:
    name = 'a, "b"\nc'

    write_csv([replace(row, name=name)], tmp_path / "rows.csv")

    assert read(tmp_path / "rows.csv")[0]["name"] == name


def test_figures_of_two_classes_stand_behind_the_contract_where_there_are_any(
    row: Row, tmp_path: Path
) -> None:
    of_two = {"f1": 2 / 3, "f0.5": 0.7, "auc": 0.8, "tp": 12.0}

    write_csv([replace(row, binary=of_two), row], tmp_path / "rows.csv")

    one, other = read(tmp_path / "rows.csv")
    assert ",".join(one).startswith(CONTRACT)
    assert (float(one["test_f1"]), float(one["test_f0.5"]), one["test_tp"]) == (2 / 3, 0.7, "12.0")
    assert (one["test_recall"], other["test_f1"]) == ("", "")


def test_the_accuracy_of_the_last_batches_stands_behind_the_contract_where_there_is_any(
    row: Row, tmp_path: Path
) -> None:
    write_csv([replace(row, train_top1=0.75), row], tmp_path / "rows.csv")

    one, other = read(tmp_path / "rows.csv")
    assert ",".join(one) == f"{CONTRACT},train_top1"
    assert (one["train_top1"], other["train_top1"]) == ("0.75", "")
