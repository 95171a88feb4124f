import csv
import io
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import pytest

from understudy.core.files import write_json
from understudy.results.csv_file import write_csv
from understudy.results.find import find
from understudy.results.markdown import markdown, write_markdown
from understudy.results.rows import rows_of


def test_the_figures_are_those_of_the_rows(study: Path, tmp_path: Path) -> None:
    record = find(study)
    write_csv(rows_of(record), tmp_path / "rows.csv")
    rows = list(csv.DictReader(io.StringIO((tmp_path / "rows.csv").read_text())))
    values = [
        100 * float(row["test_top1"])
        for row in rows
        if (row["name"], row["checkpoint"]) == ("student", "last")
    ]

    write_markdown(record, tmp_path / "page.md")

    text = (tmp_path / "page.md").read_text()
    assert f"| student | last | {mean(values):.1f} ± {stdev(values):.1f} |" in text
    assert "beats its baseline by" in text
    agreement = mean(100 * float(row["agreement"]) for row in rows if row["agreement"])
    assert "| validation % | agreement % | parameters |" in text
    assert f" | {agreement:.1f} ± 0.0 | 78 k |" in text  # of all three students alike
    for row in rows:
        assert row["run"] in text


def test_what_the_last_batches_said_stands_beside_what_test_images_say(tree: Any) -> None:
    checkpoints = {"last": {"step": 30, "val_top1": 0.5, "train_top1": 63 / 64}}
    tree.train("teacher", 1, summary={"checkpoints": checkpoints})
    tree.evaluate(1, top1={"teacher": 0.25})

    text = markdown(find(tree.study()))

    assert "| test % | validation % | last batches % |" in text
    assert "| teacher | last | 25.0 | 50.0 | 98.4 |" in text


def test_a_study_of_no_such_batches_has_no_column_of_them(study: Path) -> None:
    assert "last batches" not in markdown(find(study))


def test_what_a_title_holds_cannot_break_the_page(tree: Any) -> None:
    study = tree.root / "studies" / "odd"
    study.mkdir(parents=True)
    title = "a | b <script>alert(1)</script>\n# not a heading"
    write_json(study / "study.json", {"name": "odd", "title": title, "runs": []})

    lines = markdown(find(study)).splitlines()

    assert lines[0] == "# a \\| b &lt;script>alert(1)&lt;/script> # not a heading"


def test_of_many_models_the_page_tells_means_and_answers_and_folds_the_runs(
    tree: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("understudy.results.markdown.MOST_LINES", 8)
    levels = {1: 0.5, 10: 0.6, 100: 0.75}
    for fraction, level in levels.items():
        axes = {"fraction": fraction}
        tree.train("teacher", 1, axes=axes)
        tree.evaluate(1, axes=axes, top1={"teacher": level})
        for method, gain in (("kd", -0.04), ("dkd", 0.02)):
            both = {**axes, "method": method}
            tree.train("teacher", 1, axes=both)
            tree.train("student", 1, axes=both)
            tree.evaluate(1, axes=both, top1={"teacher": level, "student": level + gain})

    text = markdown(find(tree.study()))

    assert "## Test accuracy along fraction, in %" in text
    assert "| method |  | 1 | 10 | 100 |" in text
    assert "| kd | mean | 46.00 | 56.00 | 71.00 |" in text
    assert "| dkd | of their teachers | 50.00 | 60.00 | 75.00 |" in text
    assert "**student − teacher: −1.00 points in test accuracy" in text
    assert "higher in 3 of 6 pairs.**" in text
    assert "| student method=kd" not in text, "A line for each model is what it stands for."
    assert text.index("<details><summary>Every run") < text.index("distill/student-")


def test_of_few_models_each_has_its_line(study: Path) -> None:
    text = markdown(find(study))

    assert "| student | last |" in text
    assert "<details>" not in text
