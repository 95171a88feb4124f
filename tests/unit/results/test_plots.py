from pathlib import Path
from typing import Any

import pytest

from understudy.results.colours import colours
from understudy.results.comparison import comparison
from understudy.results.cost_plot import accuracy_against
from understudy.results.find import find
from understudy.results.plots import accuracies, gains, spread
from understudy.results.tables import Cell


def both(path: Path) -> tuple[Any, Any, Any]:
    record = find(path)
    found = comparison(record)
    painted = colours((entry.node, entry.stage) for entry in record.entries)
    lines = found.at("last")
    last = [one for one in found.contrasts if one.checkpoint == "last"]
    return (
        accuracies(lines, "test_top1", painted),
        gains(last, "test_top1"),
        accuracy_against("parameters", lines, "test_top1", painted),
    )


def test_a_study_without_axes_has_a_row_for_each_model(study: Path) -> None:
    levels, gained, _ = both(study)

    assert levels["layout"]["yaxis"]["ticktext"] == ["baseline", "teacher", "student"]
    assert gained["layout"]["yaxis"]["ticktext"] == ["student − baseline", "student − teacher"]


def test_a_study_with_axes_has_a_row_for_each_setting(tree: Any) -> None:
    for depth in (8, 14):
        axes = {"depth": depth}
        tree.train("baseline", 1, axes=axes)
        tree.train("student", 1, axes=axes)
        tree.evaluate(1, top1={"baseline": 0.4, "student": 0.5}, axes=axes)

    levels, gained, _ = both(tree.study())

    assert levels["layout"]["yaxis"]["ticktext"] == ["8", "14"]
    assert levels["data"][1]["y"] == [0, 0, 1, 1]
    assert [trace["name"] for trace in levels["data"][2:]] == ["baseline", "student"]
    assert gained["data"][0]["x"] == pytest.approx([10.0, 10.0])


def test_intervals_are_drawn_to_their_ends(study: Path) -> None:
    bars = both(study)[1]["data"][1]

    assert bars["x"][0] == pytest.approx(7.8)
    assert bars["error_x"]["array"][0] == pytest.approx(0.8605, abs=1e-4)


def test_one_pair_has_no_interval_to_draw(run_main_job: Any) -> None:
    bars = both(run_main_job(seeds=(1,)).study())[1]["data"][1]

    assert "error_x" not in bars


def test_accuracy_stands_over_what_it_costs(study: Path) -> None:
    figure = both(study)[2]

    points = {trace["name"]: (trace["x"], trace["y"]) for trace in figure["data"]}
    assert points["student"] == ([78_042], [pytest.approx(0.534)])
    assert points["teacher"][0] == [4_903_242]
    assert figure["layout"]["xaxis"]["ticktext"] == ["100 k", "1 M", "10 M"]


def test_a_single_model_has_no_cost_to_compare(tree: Any) -> None:
    tree.train("student", 1)
    tree.evaluate(1, top1={"student": 0.5})

    assert both(tree.study())[2] is None


def test_spread_is_told_for_several_runs_alone() -> None:
    assert spread(Cell(mean=0.534, sd=0.005, n=3, runs=())) == "53.4 % ± 0.5 (3)"
    assert spread(Cell(mean=0.534, sd=None, n=1, runs=())) == "53.4 % (1)"
    assert spread(None) == "–"
