import csv
import io
from pathlib import Path
from statistics import mean, stdev
from typing import Any

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
    for row in rows:
        assert row["run"] in text


def test_what_a_title_holds_cannot_break_the_page(tree: Any) -> None:
    study = tree.root / "studies" / "odd"
    study.mkdir(parents=True)
    title = "a | b <script>alert(1)</script>\n# not a heading"
    write_json(study / "study.json", {"name": "odd", "title": title, "runs": []})

    lines = markdown(find(study)).splitlines()

    assert lines[0] == "# a \\| b &lt;script>alert(1)&lt;/script> # not a heading"
