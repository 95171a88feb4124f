"""`understudy report` on runs as a training leaves them."""

import csv
import io
import json
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from tests.unit.results.browser.rows_of_others import published

from understudy.cli import main

SUMMARY = {
    "stage": "train",
    "name": "baseline",
    "identity": "0123456789ab",
    "key": "0123456789abcdef",
    "seed": 1,
    "parents": {},
    "labels": {"train": 50, "validation": 20},
    "images": 50,
    "steps": 900,
    "epochs": 30.0,
    "seconds": 12.5,
    "precision": "fp32 contiguous plain",
    "parameters": 78042,
    "version": "0.1.0",
    "pack": "p",
    "checkpoints": {"last": {"step": 900, "val_top1": 0.5, "val_nll": 1.5}},
    "skipped": {},
    "notes": [],
}


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    place = tmp_path / "runs" / "train" / "baseline-0123456789ab"
    place.mkdir(parents=True)
    (place / "config.yaml").write_text("identity: 0123456789ab\nsettings: {}\n")
    (place / "summary.json").write_text(json.dumps(SUMMARY))
    return tmp_path / "runs"


def test_a_folder_of_runs_is_a_table(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(runs)]) == 0

    lines = capsys.readouterr().out.splitlines()
    head, row = next(pair for pair in pairwise(lines) if "model" in pair[0])
    cells = dict(zip(head.split(), row.replace("78 k", "78k").split(), strict=True))
    expected = {"model": "baseline", "kept": "last", "param.": "78k", "labels": "70", "n": "1"}
    assert expected.items() <= cells.items()
    assert max(map(len, lines)) <= 80


def test_rows_and_page_are_written_where_asked_for(runs: Path, tmp_path: Path) -> None:
    table, page = tmp_path / "new" / "rows.csv", tmp_path / "other" / "report.html"

    assert main(["report", str(runs), "--csv", str(table), "--html", str(page)]) == 0

    (row,) = csv.DictReader(io.StringIO(table.read_text()))
    assert (row["name"], row["val_top1"], row["labels"]) == ("baseline", "0.5", "70")
    assert page.read_text().startswith("<!doctype html>")


def test_a_page_that_cannot_be_written_is_a_matter_of_the_disk(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", str(runs), "--csv", "/dev/null/rows.csv"]) == 6
    assert "/dev/null" in capsys.readouterr().err


def test_nothing_to_report_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(tmp_path / "absent")]) == 2
    assert "no study and no run to report" in capsys.readouterr().err


def test_a_report_needs_no_torch(runs: Path) -> None:
    code = (
        "import sys; from understudy.cli import main; main(sys.argv[1:]);"
        "sys.exit('torch' in sys.modules)"
    )

    done = subprocess.run(
        [sys.executable, "-c", code, "report", str(runs)], capture_output=True, check=False
    )

    assert done.returncode == 0


def test_rows_of_others_are_told_here_and_on_a_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    students, teachers = map(str, published(tmp_path))
    page = tmp_path / "new" / "rows.html"

    assert main(["report", "--rows", students, "--rows", teachers, "--html", str(page)]) == 0

    out = capsys.readouterr().out
    assert out.startswith("72 students · 24 teachers\n")
    assert "teachers.csv: 24 rows, taken as teachers, as their columns tell." in out
    assert "student − teacher: −0." in out
    assert "higher in 24 of 72 pairs." in " ".join(out.split())
    assert max(map(len, out.splitlines()[:-1])) <= 80
    assert page.read_text().startswith("<!doctype html>")
    assert "<h1>students</h1>" in page.read_text()


def test_rows_and_runs_are_two_reports(
    tmp_path: Path, runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    students, _ = map(str, published(tmp_path))

    assert main(["report", str(runs), "--rows", students]) == 2
    assert "RUNS cannot stand beside --rows" in capsys.readouterr().err
    assert main(["report", "--rows", students, "--csv", "rows.csv"]) == 2
    assert "--csv cannot stand beside --rows" in capsys.readouterr().err
    assert main(["report", "--rows", str(tmp_path / "absent.csv")]) == 2
    assert "absent.csv: cannot be read" in capsys.readouterr().err


def test_rows_of_others_need_no_torch(tmp_path: Path) -> None:
    students, _ = map(str, published(tmp_path))
    code = (
        "import sys; from understudy.cli import main; main(sys.argv[1:]);"
        "sys.exit('torch' in sys.modules)"
    )

    words = [sys.executable, "-c", code, "report", "--rows", students]
    done = subprocess.run(words, capture_output=True, check=False)

    assert done.returncode == 0
