"""Figures that leaked test images touch carry a sign wherever they stand."""

import io
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console
from tests.unit.results.conftest import Tree, example

from understudy.core.leaks import SIGN
from understudy.core.leaks import told as sentence
from understudy.results.comparison import comparison
from understudy.results.evaluation_screen import show_evaluation
from understudy.results.find import find
from understudy.results.findings import findings
from understudy.results.leaks import TOUCHED, sign
from understudy.results.markdown import markdown
from understudy.results.records import StudyRecord
from understudy.results.report import write_report
from understudy.results.rows import rows_of
from understudy.results.screen import show


@pytest.fixture
def leaky(run_main_job: Callable[..., Tree]) -> StudyRecord:
    return find(run_main_job(leaked=12).study())


@pytest.fixture
def clean(run_main_job: Callable[..., Tree]) -> StudyRecord:
    return find(run_main_job(leaked=0).study())


def screen(record: StudyRecord) -> str:
    stream = io.StringIO()
    show(record, Console(file=stream, width=160))
    return stream.getvalue()


def page(record: StudyRecord, path: Path) -> str:
    write_report(record, path)
    return path.read_text().split("<main>")[1].split("</main>")[0]


def test_rows_count_the_leaked_images(leaky: StudyRecord) -> None:
    tested = [row for row in rows_of(leaky) if row.test_top1 is not None]

    assert tested
    assert {(row.leaked, row.test_images) for row in tested} == {(12, 10_000)}
    assert all(sign([row], metric) == SIGN for row in tested for metric in TOUCHED)
    assert all(not sign([row], "val_top1") for row in tested)


def test_one_caution_says_how_many(leaky: StudyRecord) -> None:
    told = [one.text for one in findings(leaky, comparison(leaky)) if "identical" in one.text]

    assert told == [
        "† 12 test images are identical to images outside the test split of 10,000 (0.1 %): every "
        "figure marked † is likely to be too good."
    ]


@pytest.mark.parametrize(
    ("leaked", "images", "share"),
    [(3, 10_000, "0.03"), (12, 10_000, "0.1"), (12, 220, "5.5"), (7, 7, "100.0")],
)
def test_few_of_many_are_not_none(leaked: int, images: int, share: str) -> None:
    assert f"({share} %)" in sentence(leaked, images)


def test_the_screen_marks_every_test_figure_and_no_other(leaky: StudyRecord) -> None:
    shown = screen(leaky)

    (line,) = [
        line for line in shown.splitlines() if line.startswith("baseline") and "last" in line
    ]
    marked = re.findall(r"[\d.]+†", line)
    assert len(marked) == 3, "test accuracy, macro F1 and calibration error"
    (gain,) = [line for line in shown.splitlines() if line.startswith("student − baseline")]
    assert "†" in gain


def test_markdown_marks_figures_gains_and_sentences(leaky: StudyRecord) -> None:
    text = markdown(leaky)

    assert re.search(r"\| baseline \| last \| [\d.]+† ± [\d.]+ \| [\d.]+ ± ", text)
    assert re.search(r"\| test accuracy \| \+[\d.]+† \|", text)
    assert re.search(r"\| validation accuracy \| [+−]?[\d.]+ \|", text)
    assert re.search(r"- The distilled student beats its baseline by \+[\d.]+† points", text)


def test_the_page_marks_tiles_tables_and_plots(leaky: StudyRecord, tmp_path: Path) -> None:
    body = page(leaky, tmp_path / "page.html")

    assert re.search(r'class="figure accent">[\d.]+ %†', body)
    assert re.search(r'<td class="number"[^>]*>[\d.]+†<small> ± ', body)
    assert "Test accuracy†" in body


def judged_by(tree: Tree, levels: dict[str, float], *, confused: int) -> StudyRecord:
    """A study that differs from another such in nothing but its test figures."""
    for node in levels:
        tree.train(node, 1)
    export = tree.export(1)["run"]
    tree.write(f"{export}/summary.json", {**tree.summaries[export], "checkpoint": "best"})
    told = [example("cat.png", probability=levels["student"])]
    evaluation = tree.evaluate(1, top1=levels, leaked=12, examples=told)["run"]
    summary = tree.summaries[evaluation]
    for one in summary["evaluations"]:
        shift = one["top1"]
        one |= {"ece": shift / 5, "ece_calibrated": shift / 9, "nll": shift, "agreement": shift}
        one |= {"temperature": {"value": 1.2, "labels": 100}}
        one["per_class"][0]["precision"] = shift / 2
        one["confusion"][0][1] += confused
        one["reliability"] = [{"confidence": shift, "accuracy": shift - 0.1, "share": 1.0}]
    tree.write(f"{evaluation}/summary.json", summary)
    return find(tree.study())


def blocks(body: str) -> list[str]:
    """The parts of a page that are read by themselves: a sentence, a cell, a plot, a picture."""
    body = re.sub(r"(data-order|src)=\"[^\"]*\"", "", body)
    return re.findall(
        r"<section id=\"images\".*?</section>|<figure>.*?</figure>|<details>.*?</details>"
        r"|<(?:li|p|td|h2|h3)\b.*?</(?:li|p|td|h2|h3)>",
        body,
        re.DOTALL,
    )


def test_whatever_changes_with_the_test_figures_carries_the_sign(tmp_path: Path) -> None:
    """The law behind the others: nothing that comes from leaked images stands without it."""
    levels = {"baseline": 0.61, "teacher": 0.58, "student": 0.67}
    others = {"baseline": 0.6234, "teacher": 0.5945, "student": 0.7077}
    one = judged_by(Tree(tmp_path / "one" / "runs"), levels, confused=7)
    other = judged_by(Tree(tmp_path / "two" / "runs"), others, confused=40)

    sentences = [[each.text for each in findings(r, comparison(r))] for r in (one, other)]
    pages = [blocks(page(r, r.path.parents[2] / "page.html")) for r in (one, other)]

    for first, second in (sentences, pages):
        assert len(first) == len(second)
        changed = [a for a, b in zip(first, second, strict=True) if a != b]
        assert len(changed) > 4
        assert not [a for a in changed if SIGN not in a]


def test_clean_results_carry_no_sign(clean: StudyRecord, tmp_path: Path) -> None:
    shown = [screen(clean), markdown(clean), page(clean, tmp_path / "page.html")]

    assert not [text for text in shown if SIGN in text]


def test_runs_of_before_the_count_carry_no_sign(run_main_job: Callable[..., Tree]) -> None:
    assert SIGN not in screen(find(run_main_job().study()))


def test_one_evaluation_on_the_screen_is_marked(leaky: StudyRecord) -> None:
    summary = next(iter(leaky.having("evaluations"))).run.summary
    stream = io.StringIO()

    show_evaluation({"probes": [], **summary}, Console(file=stream, width=100))

    shown = stream.getvalue()
    assert "† 12 test images are identical to images outside the test split of 10,000" in shown
    assert len(re.findall(r"[\d.]+†", shown)) >= 3 * len(summary["evaluations"])


def test_who_learned_from_test_images_is_marked_and_its_gains(tree: Tree, tmp_path: Path) -> None:
    """A student that saw them, and a teacher and a baseline that did not."""
    for node in ("baseline", "teacher", "student"):
        tree.train(node, 1)
    evaluation = tree.evaluate(1)["run"]
    summary = tree.summaries[evaluation]
    for one in summary["evaluations"]:
        one["seen"] = 700 if one["run"].startswith("distill") else 0
        one["binary"] = {"positive": "cat", "tp": 40, "f1": 0.8123, "auc": 0.9}
    tree.write(f"{evaluation}/summary.json", summary)
    record = find(tree.study())

    marked = {row.name: row.seen for row in rows_of(record) if row.test_top1 is not None}
    shown, body = screen(record), page(record, tmp_path / "page.html")

    assert marked == {"baseline": 0, "teacher": 0, "student": 700}
    (caution,) = [
        one.text for one in findings(record, comparison(record)) if "learned from" in one.text
    ]
    assert caution.startswith(
        "† The distilled student learned from 700 test images of 10,000 (7.0 %), or from a model"
    ), caution
    assert "student learned from 700 test images" in body
    lines = {line.split()[0]: line for line in shown.splitlines() if " last " in line}
    assert "81.2†" in lines["student"], "F1 of the class that is looked for"
    assert SIGN not in lines["teacher"] + lines["baseline"]
    (gain,) = [line for line in shown.splitlines() if line.startswith("student − baseline")][:1]
    assert SIGN in gain
    assert re.search(r">F1 %<.*>AUC %<.*>81\.2†<.*>90\.0†<", body, re.DOTALL)
