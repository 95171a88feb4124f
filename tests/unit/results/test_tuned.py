"""What a study tried, as its reports tell it."""

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from understudy.results.comparison import comparison
from understudy.results.find import find
from understudy.results.findings import findings
from understudy.results.inventory import inventory
from understudy.results.markdown import markdown
from understudy.results.report import write_report
from understudy.results.screen import show
from understudy.results.spare import proposal
from understudy.results.tuning_csv import write_tuning


def candidate(value: str, score: float | None, **fields: Any) -> dict[str, Any]:
    return {
        "values": {"terms.1.weight": value},
        "written": False,
        "score": score,
        "taken": False,
        "status": "finished" if score is not None else "failed",
        "error": None,
        "run": None,
        **fields,
    }


@pytest.fixture
def tuned(tree: Any) -> Path:
    """Two objectives of which one was tuned; what was not taken is in no run of the study."""
    other = tree.train("student", 1, settings={"weight": 3}, axes={"objective": "dist"})
    tree.entries.clear()
    for seed in (1, 2):
        tree.train("baseline", seed)
        for name in ("dist", "soft"):
            tree.train("student", seed, axes={"objective": {"name": name}})
    tried = [
        {
            "axes": {"objective": "dist"},
            "tuned": True,
            "candidates": [
                candidate("1", 0.5, written=True),
                candidate("0.3", 0.52, taken=True),
                candidate("3", None, error="not finite", run=other["run"]),
            ],
        },
        {
            "axes": {"objective": "soft"},
            "tuned": False,
            "candidates": [candidate("0.9", 0.4, written=True, taken=True)],
        },
    ]
    told = {"stage": "student", "monitor": "top1", "seed": 1, "best": 1, "tried": tried}
    return Path(tree.study(tuning={**told, "runs": [other]}))


def test_every_candidate_is_shown_with_its_score_and_what_was_taken(
    tuned: Path, tmp_path: Path
) -> None:
    record = find(tuned)
    console = Console(width=80, record=True, file=io.StringIO())

    show(record, console)
    write_report(record, tmp_path / "report.html")
    write_tuning(record.tuned, tmp_path / "tuning.csv")

    screen = console.export_text()
    assert "1: 50.0; 0.3: 52.0; 3: diverged" in screen
    assert max(map(len, screen.splitlines())) <= 80
    table = markdown(record).split("## Tuning")[1]
    assert "| dist | 1 | 50.0 | as written |" in table
    assert "| dist | 0.3 | 52.0 | taken |" in table
    assert "| dist | 3 | diverged | – |" in table
    assert "| soft | 0.9 | 40.0 | taken, as written |" in table
    page = (tmp_path / "report.html").read_text()
    assert '<section id="tuning">' in page
    assert "terms.1.weight" in page
    with (tmp_path / "tuning.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [(row["terms.1.weight"], row["score"], row["taken"]) for row in rows] == [
        ("1", "0.5", "False"),
        ("0.3", "0.52", "True"),
        ("3", "", "False"),
        ("0.9", "0.4", "True"),
    ]


def test_findings_say_what_was_tuned_and_that_others_were_not(tuned: Path) -> None:
    record = find(tuned)

    told = {
        one.kind: one.text
        for one in findings(record, comparison(record))
        if "tuned" in one.text or "was chosen" in one.text
    }

    assert "terms.1.weight of “student” was chosen for 1 of its 2 settings" in told["fact"]
    assert "1 of them took another value" in told["fact"]
    assert "Only 1 of 2 settings" in told["caution"]


@pytest.mark.usefixtures("tuned")
def test_what_was_tried_is_no_model_of_the_study_and_yet_stays(tree: Any) -> None:
    """It is found again when the study goes on; deleting it would train it anew."""
    loose = find(tree.root)
    kept = proposal(inventory(tree.root), unused=True)

    rows = comparison(loose).at("last")
    assert sorted((line.name, len(line.rows)) for line in rows) == [
        ("baseline", 2),
        ("student", 2),
        ("student", 2),
    ]
    assert [one for one in kept.spare if one.what == "run"] == []
