from pathlib import Path
from typing import Any

from understudy.results import curves as subject
from understudy.results.colours import colours
from understudy.results.curves import curves, drawn
from understudy.results.find import find


def draw(path: Path, **options: Any) -> Any:
    entries = find(path).entries
    painted = colours((entry.node, entry.stage) for entry in entries)
    return curves(
        entries, **{"phase": "train", "key": "loss", "share": False, **options}, colours=painted
    )


def test_one_line_per_run_with_its_own_points(tree: Any) -> None:
    for seed in (1, 2):
        tree.train("student", seed, steps=100, curve=10)

    figure = draw(tree.study())

    assert [trace["x"] for trace in figure["data"]] == [list(range(10, 101, 10))] * 2
    assert [trace["showlegend"] for trace in figure["data"]] == [True, False]


def test_many_points_are_thinned_to_what_a_page_can_hold(tree: Any) -> None:
    for seed in (1, 2):
        tree.train("student", seed, steps=10_000, curve=2_000)

    figure = draw(tree.study())

    assert [len(trace["x"]) for trace in figure["data"]] == [subject.MOST] * 2
    assert [trace["x"][-1] for trace in figure["data"]] == [10_000] * 2


def test_a_figure_that_nobody_logged_has_no_plot(tree: Any) -> None:
    tree.train("student", 1)

    assert draw(tree.study(), key="absent") is None


def test_at_most_so_many_lines_are_drawn_evenly_chosen(tree: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(subject, "MOST_LINES", 4)
    for seed in range(10):
        tree.train("student", seed)

    chosen = drawn(find(tree.study()).entries)

    assert [entry.seed for entry in chosen] == [0, 3, 6, 9]


def test_a_run_that_several_seeds_share_is_drawn_once(tree: Any) -> None:
    shared = tree.train("teacher", 1)
    tree.entries += [{**shared, "seed": seed} for seed in (2, 3)]

    assert len(drawn(find(tree.study()).entries)) == 1
