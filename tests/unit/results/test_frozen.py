"""Frozen features in rows, tables and sentences: teacher wide, baseline and student narrow."""

import csv
import io
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest
from rich.console import Console
from tests.unit.results.conftest import Tree

from understudy.results.comparison import comparison
from understudy.results.csv_file import write_csv
from understudy.results.find import find
from understudy.results.findings import findings
from understudy.results.frozen import average, columns, standings
from understudy.results.markdown import markdown
from understudy.results.probes import LINEAR, parsed
from understudy.results.records import StudyRecord, read_study
from understudy.results.report import write_report
from understudy.results.screen import show

WIDE, NARROW = 23_000_000, 11_000_000
LINEARS = {  # by augmentation and seed
    "both": {1: 0.60, 2: 0.62, 3: 0.61},
    "none": {1: 0.50, 2: 0.52, 3: 0.51},
}
TEACHER = {1: 0.80, 2: 0.80, 3: 0.80}
BASELINE = {1: 0.55, 2: 0.58, 3: 0.55}


def probe(run: dict[str, Any], linear: float, *, labels: int = 1000) -> dict[str, Any]:
    """What an evaluation writes of a network's features."""

    def figures(less: float, share: float) -> dict[str, Any]:
        return {
            "labels": {"train": int(0.9 * share * labels), "validation": int(0.1 * share * labels)},
            "knn": [
                {"neighbours": 20, "voting": 20, "top1": linear - 0.05 - less, "top5": 0.97},
                {"neighbours": 200, "voting": 200, "top1": linear - 0.06 - less, "top5": 0.96},
            ],
            "linear_top1": linear - less,
            "linear_top5": 0.98,
        }

    shares = [{"share": 0.01, **figures(0.2, 0.01)}, {"share": 0.1, **figures(0.1, 0.1)}]
    place = {"identity": run["identity"], "run": run["run"], "checkpoint": "last"}
    return {**place, **figures(0, 1), "shares": shares}


def kassl(
    tree: Tree, *, told: int = 1000, leaked: int = 0, steps: int = 9, teacher_less: float = 0
) -> StudyRecord:
    """A teacher and a baseline, and a student for each augmentation, over three seeds."""
    for seed in (1, 2, 3):
        teacher = tree.train(
            "teacher",
            seed,
            stage="pretrain",
            summary={"parameters": WIDE + 7, "parts": {"backbone": WIDE}}
            | {"checkpoints": {"last": {"step": 9}}},
        )
        baseline = tree.train(
            "baseline",
            seed,
            stage="pretrain",
            summary={"parameters": NARROW + 5, "parts": {"backbone": NARROW}}
            | {"checkpoints": {"last": {"step": steps}}},
        )
        students = {
            views: tree.train(
                "student",
                seed,
                stage="distill",
                axes={"views": views},
                summary={
                    "parameters": NARROW,
                    "parts": {"backbone": NARROW},
                    "checkpoints": {"last": {"step": 9}},
                    "parents": {"teacher": {key: teacher[key] for key in ("identity", "run")}},
                },
            )
            for views in LINEARS
        }
        probes = [
            probe(teacher, TEACHER[seed] - teacher_less, labels=told),
            probe(baseline, BASELINE[seed]),
            *(probe(one, LINEARS[views][seed]) for views, one in students.items()),
        ]
        summary = {"split": "test", "images": 10_000, "leaked": leaked, "evaluations": []}
        tree.run("evaluation", seed, summary={**summary, "probes": probes})
    return read_study(tree.study("kassl", title="Frozen"))


def test_every_figure_of_a_probe_is_a_column_of_its_row(tree: Tree, tmp_path: Path) -> None:
    found = comparison(kassl(tree))

    write_csv(found.rows, tmp_path / "rows.csv")

    rows = list(csv.DictReader(io.StringIO((tmp_path / "rows.csv").read_text())))
    first = next(row for row in rows if row["name"] == "student")
    assert float(first["probe.linear_top1"]) == 0.6
    assert float(first["probe.knn200_top1"]) == pytest.approx(0.54)
    assert float(first["probe.linear_top1@1%"]) == pytest.approx(0.4)
    assert float(first["probe.linear_top5@10%"]) == 0.98
    assert int(first["probe.labels"]) == 1000
    assert int(first["probe.labels@10%"]) == 100
    assert first["test_top1"] == ""


def test_a_student_is_held_to_its_teacher_and_to_the_pretraining_of_its_own_size(
    tree: Tree,
) -> None:
    found = comparison(kassl(tree))

    both = {(one.of.axes["views"], one.role): one for one in found.frozen_contrasts}
    assert set(both) == {(views, role) for views in LINEARS for role in ("baseline", "teacher")}
    gain = both["both", "baseline"].differences[LINEAR]
    assert gain.values == pytest.approx([0.05, 0.04, 0.06])
    assert gain.is_shown
    assert both["none", "teacher"].differences["probe.knn20_top1"].mean == pytest.approx(-0.29)
    assert not found.contrasts, "no accuracy of a classifier was measured"


def test_the_share_of_the_teacher_is_seed_by_seed_and_the_mean_is_over_all_settings(
    tree: Tree,
) -> None:
    every = standings(comparison(kassl(tree)))

    found = {one.line.axes["views"]: one for one in every if one.line.name == "student"}
    cell = found["both"].of_teacher
    assert cell is not None
    assert cell.mean == pytest.approx(0.61 / 0.8)
    assert cell.n == 3
    assert cell.sd == pytest.approx(0.01 / 0.8)
    together = average(every)
    assert together is not None
    assert together.students == 2
    assert together.teacher_mean == pytest.approx(fmean([0.61, 0.51]) / 0.8)
    assert together.baseline_mean == pytest.approx(fmean([0.05, -0.05]))


def test_top_5_has_a_table_of_its_own(tree: Tree, tmp_path: Path) -> None:
    """`LINEARS` are top-1; in top-5 all of these are as good, and nothing is gained."""
    record = kassl(tree)

    write_report(record, tmp_path / "report.html")
    text, page = markdown(record), (tmp_path / "report.html").read_text()
    own = text[text.index("In top-5:") : text.index("| difference |")]

    assert "| student views=none | 98.0 ± 0.0 | 100.0 | 0.0 | 1,000 | 3 |" in own
    assert "| mean of all 2 students | – | 100.0 | 0.0 | – | – |" in own
    assert "Frozen features in top-5" in page


def test_sentences_tell_the_mean_of_all_and_never_of_the_better_half(tree: Tree) -> None:
    record = kassl(tree)

    told = " ".join(one.text for one in findings(record, comparison(record)))

    assert "over all 2 students" in told
    assert "70.0 % of their teacher's linear accuracy (63.8 % to 76.2 %)" in told
    assert "by 0.0 points (−5.0 to +5.0)" in told
    assert "beats its baseline by +5.0 points in linear-probe accuracy" in told
    assert "different numbers of labels" not in told


def test_backbones_are_measured_against_each_other_once(tree: Tree) -> None:
    record = kassl(tree)

    told = [one.text for one in findings(record, comparison(record)) if "backbone" in one.text]

    assert told == [
        "The backbone of the distilled student has 11 M parameters, 2.1 times fewer than its "
        "teacher's 23 M."
    ]


def test_probes_that_know_other_labels_are_a_caution(tree: Tree) -> None:
    record = kassl(tree, told=5000)

    told = [one.text for one in findings(record, comparison(record)) if one.kind == "caution"]

    assert any("different numbers of labels: 1,000 against 5,000" in text for text in told)


def test_a_teacher_whose_features_are_weaker_is_a_caution(tree: Tree) -> None:
    """Between the baseline, 0.56, and the better student, 0.61."""
    record = kassl(tree, teacher_less=0.2)

    told = [one.text for one in findings(record, comparison(record)) if one.kind == "caution"]

    weaker = [text for text in told if "teacher is weaker" in text]
    assert weaker == [
        "views = both: On average the teacher is weaker than the student: 60.0 % against 61.0 % by "
        "a linear probe on the test images."
    ]


def test_many_kinds_looked_at_on_test_images_are_a_caution(tree: Tree) -> None:
    record = kassl(tree)

    told = [one.text for one in findings(record, comparison(record)) if one.kind == "caution"]

    assert any("Features of 2 kinds of “student” were judged on test images" in one for one in told)
    assert not any("kinds of “baseline”" in one for one in told)


def test_unequal_steps_of_networks_without_classifiers_are_a_caution(tree: Tree) -> None:
    record = kassl(tree, steps=3)

    told = [one.text for one in findings(record, comparison(record)) if one.kind == "caution"]

    assert sum("did not take equally many steps: 9 against 3" in text for text in told) == 2


def test_page_markdown_and_screen_show_them(tree: Tree, tmp_path: Path) -> None:
    record = kassl(tree, leaked=3)
    stream = io.StringIO()

    write_report(record, tmp_path / "report.html")
    page, text = (tmp_path / "report.html").read_text(), markdown(record)
    show(record, Console(file=stream, width=80))

    assert 'id="frozen"' in page
    assert "mean of all 2 students" in page
    assert "| student views=both | " in text
    assert "| mean of all 2 students |" in text
    assert "76.2" in text
    screen = stream.getvalue()
    assert max(map(len, screen.splitlines())) <= 80
    line = next(
        line for line in screen.splitlines() if line.startswith("student") and "both" in line
    )

    assert "61.0†" in line
    assert "76.2" in line
    assert "+5.0" in line


def test_all_labels_come_first_and_neighbours_before_the_linear_probe(tree: Tree) -> None:
    found = columns(comparison(kassl(tree)).frozen)

    assert [what.title for _, what in found][:6] == [
        "k-NN 20",
        "k-NN 20, top-5",
        "k-NN 200",
        "k-NN 200, top-5",
        "linear",
        "linear, top-5",
    ]
    assert found[-1][1].title == "linear at 1 %, top-5"
    assert parsed("probe.labels") is None
    assert parsed("test_top1") is None


def test_figures_of_an_earlier_version_are_read_as_they_were_meant(tree: Tree) -> None:
    run = tree.train("pretrain", 1)
    old = {"identity": run["identity"], "checkpoint": "last", "knn_top1": 0.4, "linear_top1": 0.5}
    told = {**old, "labels": {"train": 90, "validation": 10}}
    tree.run("evaluation", 1, summary={"split": "test", "images": 10, "probes": [told]})
    (row,) = comparison(read_study(tree.study())).rows

    assert row.probes == {"linear_top1": 0.5, "knn20_top1": 0.4, "labels": 100}


def test_a_run_that_is_looked_at_alone_brings_its_probe(tree: Tree) -> None:
    record = kassl(tree)
    run = next(entry.run for entry in record.entries if entry.node == "teacher")

    (line,) = comparison(find(run.path)).frozen

    cell = line.cell(LINEAR)
    assert cell is not None
    assert cell.mean == TEACHER[1]
