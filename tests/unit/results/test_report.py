import csv
import json
import re
import shutil
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import plotly.graph_objects as go
import pytest
from tests.unit.results.conftest import DOT, example

from understudy.results import libraries
from understudy.results.csv_file import write_csv
from understudy.results.find import find
from understudy.results.report import write_report
from understudy.results.rows import rows_of

HOSTILE = '<script>alert("x")</script><img src=x onerror=alert(1)>'


class Page(HTMLParser):
    """What a browser sees: tags, tables as texts, scripts, and texts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.tables: list[list[list[str]]] = []
        self.scripts: list[tuple[str | None, str]] = []
        self.texts: list[str] = []
        self.inside: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag != "meta":
            self.inside.append(tag)
        if tag == "script":
            self.scripts.append((dict(attrs).get("type"), ""))
        elif tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.inside.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.inside[-1:] == ["script"]:
            kind, text = self.scripts[-1]
            self.scripts[-1] = (kind, text + data)
            return
        self.texts.append(data)
        if {"td", "th"} & set(self.inside):
            self.tables[-1][-1][-1] += data

    def figures(self) -> Iterator[dict[str, Any]]:
        blocks = (json.loads(text) for kind, text in self.scripts if kind == "application/json")
        return (block for block in blocks if "layout" in block)


def written(path: Path) -> str:
    target = path / "report.html"
    write_report(find(path), target)
    return target.read_text()


def scripts(page: Page) -> int:
    """Characters of what is the same in every page."""
    return sum(len(text) for kind, text in page.scripts if kind is None)


def main_table(page: Page) -> list[dict[str, str]]:
    heads, *lines = page.tables[0]
    return [dict(zip(heads, line, strict=True)) for line in lines]


def test_the_figures_of_the_page_are_those_of_rows_csv(study: Path) -> None:
    write_csv(rows_of(find(study)), study / "rows.csv")
    with (study / "rows.csv").open(newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row["name"] != "pretrain"]

    lines = main_table(Page(written(study)))

    assert len(lines) == 6
    for line in lines:
        own = [
            row
            for row in rows
            if (row["name"], row["checkpoint"]) == (line["Model"], line["Checkpoint"])
        ]
        for head, column in (
            ("Test %", "test_top1"),
            ("Validation %", "val_top1"),
            ("Macro F1 %", "test_macro_f1"),
            ("ECE %", "test_ece"),
        ):
            values = [100 * float(row[column]) for row in own]
            assert line[head] == f"{fmean(values):.1f} ± {stdev(values):.1f}"
        assert line["ms / image"] == f"{float(own[0]['latency_ms']):.2f}"
        assert line["Labels"] == own[0]["labels"]
        assert line["Steps"] == own[0]["steps"]


def test_every_seed_of_every_model_is_told_in_a_table(study: Path, tmp_path: Path) -> None:
    record = find(study)
    write_report(record, tmp_path / "report.html")
    tables = Page((tmp_path / "report.html").read_text()).tables
    by_seed = next(table for table in tables if "Seed 2" in table[0])

    told = {(line[0], line[1]): line[2:] for line in by_seed[1:]}

    rows = [row for row in rows_of(record) if (row.name, row.checkpoint) == ("student", "best")]
    values = [f"{100 * (row.test_top1 or 0):.1f}" for row in rows]
    mean = fmean(100 * (row.test_top1 or 0) for row in rows)
    assert told["student", "best"] == [*values, f"{mean:.1f}"]
    assert len(told) == 6


def test_one_seed_is_shown_without_spread(run_main_job: Any) -> None:
    page = Page(written(run_main_job(seeds=(1,)).study()))

    student = next(line for line in main_table(page) if line["Model"] == "student")
    assert student["Test %"] == "53.0"
    assert "One seed, so no ± is shown." in " ".join(page.texts)
    assert not [text for text in page.texts if re.search(r"± \d", text)]


def test_hostile_names_are_text_and_nothing_else(run_main_job: Any) -> None:
    answered: dict[str, Any] = {"class": HOSTILE, "answer": HOSTILE, "teacher": {"answer": HOSTILE}}
    told = [example(HOSTILE, **answered), example("b", webp='"><script>alert(1)</script>')]
    tree = run_main_job(seeds=(1,), classes=(HOSTILE, "b", "c"), examples=told)
    tree.train(HOSTILE, 1, stage="train", axes={HOSTILE: HOSTILE}, summary={"notes": [HOSTILE]})
    failed = {"node": "student", "status": "failed", "error": HOSTILE, "seed": 2}

    text = written(tree.study(title=HOSTILE, name="s", runs=[*tree.entries, failed]))

    page = Page(text)
    runnable = [text for kind, text in page.scripts if kind is None]
    assert len(runnable) == 5
    assert not [text for text in runnable if "alert(1)" in text]
    sources = [str(attributes["src"]) for tag, attributes in page.tags if tag == "img"]
    assert sources == [f"data:image/webp;base64,{DOT}"]
    assert not [one for _, attributes in page.tags for one in attributes if one.startswith("on")]
    assert "".join(page.texts).count(HOSTILE) >= 9
    for figure in page.figures():
        assert "<script" not in json.dumps(figure)
        assert "<img" not in json.dumps(figure)


def test_only_the_five_scripts_of_the_page_may_run_and_nothing_may_be_fetched(
    run_main_job: Any,
) -> None:
    page = Page(written(run_main_job(seeds=(1,), examples=[example("a.png")]).study()))

    policy = next(
        str(attributes["content"])
        for tag, attributes in page.tags
        if tag == "meta" and attributes.get("http-equiv") == "Content-Security-Policy"
    )
    scripts = [text for kind, text in page.scripts if kind is None]
    hashes = [b64encode(sha256(text.encode()).digest()).decode() for text in scripts]
    assert policy.startswith("default-src 'none'; script-src ")
    assert re.findall(r"'sha256-([^']+)'", policy) == hashes
    assert len(hashes) == 5
    assert "unsafe-eval" not in policy
    assert "http" not in policy
    sources = [attributes for tag, attributes in page.tags if tag == "img"]
    assert all(str(one.pop("src")).startswith("data:image/webp;base64,") for one in sources)
    assert sources
    fetching = {"src", "srcset", "action", "data", "poster", "formaction"}
    assert not [tag for tag, attributes in page.tags if fetching & set(attributes)]
    assert not [tag for tag, _ in page.tags if tag in ("link", "base", "iframe", "object")]
    links = [str(attributes["href"]) for tag, attributes in page.tags if tag == "a"]
    assert not [link for link in links if ":" in link or link.startswith("/")]


def test_a_script_with_windows_lines_is_named_as_browsers_hash_it(
    study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(libraries, "get_plotlyjs", lambda: "one;\r\ntwo;")
    libraries.plotly.cache_clear()

    text = written(study)

    libraries.plotly.cache_clear()
    expected = b64encode(sha256(b"one;\ntwo;").digest()).decode()
    assert f"'sha256-{expected}'" in text
    assert "\r" not in text


def test_links_lead_from_the_page_to_the_runs(study: Path) -> None:
    page = Page(written(study))

    links = [str(attributes["href"]) for tag, attributes in page.tags if tag == "a"]
    runs = [link for link in links if link.endswith("/")]
    assert len(runs) == 18
    assert all((study / link / "summary.json").is_file() for link in runs)


def test_the_same_runs_give_the_same_page(study: Path) -> None:
    assert written(study) == written(study)


def test_every_plot_is_one_that_plotly_accepts(study: Path) -> None:
    figures = list(Page(written(study)).figures())

    assert len(figures) == 15
    for figure in figures:
        plain = json.loads(re.sub(r'"var\(--[\w-]+\)"', '"#123456"', json.dumps(figure)))
        go.Figure(plain)  # raises where a property is unknown or has a value of the wrong kind


def test_plots_show_each_seed_and_each_run(study: Path) -> None:
    accuracies, gains, validation, *_ = Page(written(study)).figures()

    assert sorted(accuracies["data"][0]["x"]) == sorted(
        [0.45, 0.46, 0.458, 0.525, 0.519, 0.526, 0.53, 0.54, 0.532]
    )
    assert gains["data"][0]["x"][:3] == pytest.approx([8.0, 8.0, 7.4])
    seeds, means = validation["data"][:9], validation["data"][9:]
    assert sum("seed 3" in line["hovertemplate"] for line in seeds) == 3
    assert ["mean of 3 seeds" in line["hovertemplate"] for line in means] == [True] * 3


def test_failed_runs_are_shown_as_failed_with_their_reason(tree: Any) -> None:
    tree.train("baseline", 1)
    lost = {"node": "student", "stage": "distill", "seed": 1, "run": "distill/student-0"}
    error = "CUDA out of memory\nTraceback: ..."

    page = Page(
        written(tree.study(runs=[*tree.entries, {**lost, "status": "failed", "error": error}]))
    )

    rows = next(table for table in page.tables if table[0][-1] == "Run")
    assert rows[-1][:3] == ["student", "1", "failed CUDA out of memory"]
    assert "1 of 2 runs is failed: student, seed 1." in page.texts


@pytest.mark.parametrize("broken", ["", "{", "[]", "null", '{"stage": 3}'])
@pytest.mark.parametrize("name", ["summary.json", "metrics.jsonl", "environment.json"])
def test_a_damaged_file_of_a_run_never_stops_the_page(
    run_main_job: Any, name: str, broken: str
) -> None:
    tree = run_main_job(seeds=(1,))
    for entry in tree.entries[2:]:
        tree.write(f"{entry['run']}/{name}", broken)

    assert "Few labels" in written(tree.study())


@pytest.mark.parametrize("runs", [[], [{"node": "student", "status": "pending"}]])
def test_a_study_that_has_hardly_begun_has_a_page(tree: Any, runs: list[Any]) -> None:
    page = Page(written(tree.study(runs=runs)))

    assert list(page.figures()) == []
    assert ("No run has begun yet." in page.texts) == (not runs)


def test_one_run_and_a_folder_of_runs_have_pages(run_main_job: Any) -> None:
    tree = run_main_job(seeds=(1,))
    tree.study()
    run = tree.root / tree.entries[3]["run"]

    assert "<h1>distill/student-" in written(run)
    assert "<h1>All runs in runs</h1>" in written(tree.root)


def test_a_thousand_classes_are_told_by_the_weakest(run_main_job: Any) -> None:
    names = [f"class {number}" for number in range(1000)]
    tree = run_main_job(seeds=(1,), classes=names)

    text = written(tree.study())

    page = Page(text)
    assert not [
        one for figure in page.figures() for one in figure["data"] if one["type"] == "heatmap"
    ]
    by_class = next(rows for rows in page.tables if "Precision %" in rows[0])
    assert len(by_class) == 1001
    f1 = [float(row[4]) for row in by_class[1:]]
    assert f1 == sorted(f1)
    assert len(text) - scripts(page) < 1_000_000


def test_a_page_of_180_runs_takes_less_than_three_seconds(tree: Any) -> None:
    for depth in range(20):
        for seed in (1, 2, 3):
            axes = {"depth": depth}
            tree.train("baseline", seed, axes=axes, curve=100)
            tree.train("student", seed, axes=axes, curve=100)
            tree.evaluate(seed, top1={"baseline": 0.4, "student": 0.5}, axes=axes)
    study = tree.study()

    began = time.process_time()
    text = written(study)
    seconds = time.process_time() - began

    assert seconds < 3
    assert len(text) - scripts(Page(text)) < 2_000_000
    for figure in Page(text).figures():
        assert sum(len(trace["x"]) for trace in figure["data"] if "x" in trace) <= 30_000


def test_a_report_needs_no_torch() -> None:
    code = "import sys, understudy.results.report as _; print('torch' in sys.modules)"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "False\n"


def test_of_two_baselines_the_one_that_leaves_less_is_in_large_figures(tree: Any) -> None:
    for seed in (1, 2):
        tree.train("baseline", seed)
        tree.train("augmented", seed, stage="train")
        tree.train("student", seed)
        levels = {"baseline": 0.40, "augmented": 0.51, "student": 0.55 + seed / 100}
        tree.evaluate(seed, top1=levels)

    write_report(find(tree.study()), tree.root / "page.html")

    page = (tree.root / "page.html").read_text().replace("\u00a0", " ")
    assert "over augmented, 95 % interval" in page
    assert "over baseline, 95 % interval" not in page


def test_a_copied_tree_keeps_its_links(run_main_job: Any, tmp_path: Path) -> None:
    study = run_main_job(seeds=(1,)).study()
    written(study)
    copy = tmp_path / "elsewhere" / "my runs"

    shutil.copytree(study.parent.parent, copy)
    shutil.rmtree(study.parent.parent)

    place = copy / "studies" / study.name
    page = Page((place / "report.html").read_text())
    links = [str(attributes["href"]) for tag, attributes in page.tags if tag == "a"]
    runs = [link for link in links if link.endswith("/")]
    assert len(runs) == 6
    assert all((place / link / "summary.json").is_file() for link in runs)
    assert str(tmp_path / "runs") not in (place / "report.html").read_text()


def test_an_axis_may_be_called_like_a_column_and_classes_like_anything(tree: Any) -> None:
    names = ("Käse", "奶酪", "‮tros", "a|b", "")
    for value in ("8", "14"):
        axes = {"test_top1": value, "Model": value, "seed": value}
        tree.train("student", 1, axes=axes)
        tree.evaluate(1, top1={"student": 0.5}, classes=names, axes=axes)
    study = tree.study()

    page = Page(written(study))
    write_csv(rows_of(find(study)), study / "rows.csv")

    heads = page.tables[0][0]
    assert heads[:4] == ["Model", "test_top1", "Model", "seed"]
    assert "Test %" in heads
    by_class = next(rows for rows in page.tables if "Precision %" in rows[0])
    assert {row[0] for row in by_class[1:]} == set(names)
    with (study / "rows.csv").open(newline="") as stream:
        columns = next(csv.reader(stream))
    assert len(columns) == len(set(columns))
    assert {"axis.test_top1", "test_top1", "axis.seed", "seed"} <= set(columns)


@pytest.mark.slow
def test_5000_runs_have_a_page(tree: Any) -> None:
    for depth in range(1666):
        axes = {"depth": depth}
        tree.train("baseline", 1, axes=axes, curve=4)
        tree.train("student", 1, axes=axes, curve=4)
        tree.evaluate(1, top1={"baseline": 0.4, "student": 0.5}, axes=axes, classes=("a", "b"))
    lost = {"node": "student", "stage": "distill", "status": "failed", "error": "Out of memory"}

    text = written(tree.study(runs=[*tree.entries, lost, lost]))

    page = Page(text)
    assert len(next(rows for rows in page.tables if rows[0][-1] == "Run")) == 5001
    assert len(text) - scripts(page) < 14_000_000
    assert "2 of 5,000 runs are failed" in text
