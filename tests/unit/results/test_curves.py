import json
import re
from pathlib import Path
from typing import Any

import pytest

from understudy.results import curves as subject
from understudy.results.calling import calling
from understudy.results.colours import colours
from understudy.results.curves import curves, drawn, losses
from understudy.results.find import find
from understudy.results.training_section import training


def draw(path: Path, **options: Any) -> Any:
    entries = find(path).entries
    usual = {
        "phase": "train",
        "key": "loss",
        "share": False,
        "colours": colours((entry.node, entry.stage) for entry in entries),
    }
    return curves(entries, **{**usual, **options})


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


def test_a_model_in_one_setting_has_a_plot_of_its_own_with_both_losses(tree: Any) -> None:
    for seed in (1, 2):
        for depth in (3, 4):
            tree.train("student", seed, axes={"depth": depth}, steps=100, curve=10, nll=True)
    record = find(tree.study())

    page = str(training(record, colours((e.node, e.stage) for e in record.entries)))
    own = [entry for entry in record.entries if entry.axes == {"depth": "3"}]
    drawn = losses(own, colours={"student": "red"})

    assert "student · depth = 3" in page
    assert "student · depth = 4" in page
    assert drawn is not None
    lines = [(trace["name"], trace["line"].get("dash")) for trace in drawn["data"]]
    assert lines == [("training loss", None)] * 2 + [("validation NLL", "dot")] * 2
    seen = own[0].run.history.series(phase="validation", key="nll")
    assert drawn["data"][2]["y"] == [float(f"{value:.5g}") for _, value in seen]


def test_of_many_settings_the_losses_of_a_name_share_a_plot(tree: Any) -> None:
    for depth in range(13):
        tree.train("student", 1, axes={"depth": depth}, steps=100, curve=10, nll=True)
    record = find(tree.study())

    page = str(training(record, colours((e.node, e.stage) for e in record.entries)))

    assert "depth = 3" not in page
    assert page.count("<figcaption>Loss") == 1


def test_losses_of_one_objective_that_read_no_label_share_a_plot_by_setting(tree: Any) -> None:
    """The reduced variant beside the others; a teacher's loss, of another objective, does not."""
    metrics = [
        {"step": step, "epoch": step / 5, "phase": "train", "loss": 1 / step}
        for step in range(1, 9)
    ]
    for variant in ("original", "reduced"):
        for seed in (1, 2):
            summary = {"checkpoints": {"last": {"step": 8}}}
            tree.run("student", seed, axes={"variant": variant}, metrics=metrics, summary=summary)
    other = [{**line, "contrastive": 0.1} for line in metrics]
    tree.run("student", 1, axes={"variant": "contrast"}, metrics=other, summary=summary)
    tree.run("pretrain", 1, metrics=metrics, summary=summary)
    record = find(tree.study())

    page = str(training(record, colours((e.node, e.stage) for e in record.entries)))
    plots = [
        json.loads(text) for text in re.findall(r"<script[^>]*>(.*?)</script>", page, re.DOTALL)
    ]
    together = plots[0]["data"]

    assert page.count("<figcaption>Loss") == len(plots) == 3
    assert "student, without labels, every setting" in page
    runs, means = together[:4], together[4:]
    assert [trace["name"] for trace in runs] == ["original"] * 2 + ["reduced"] * 2
    assert [trace["name"] for trace in means] == ["original", "reduced"]
    assert len({trace["line"]["color"] for trace in together}) == 2
    assert together[0]["x"][-1] == 1.6


def test_of_several_names_the_mean_over_seeds_is_the_line_to_read(tree: Any) -> None:
    for seed in (1, 2):
        for depth in (3, 4):
            tree.train("student", seed, axes={"depth": depth}, steps=100, curve=10)
    path = tree.study()

    figure = draw(path, called=calling(find(path).entries), colours={"3": "red", "4": "blue"})

    *runs, shallow, deep = figure["data"]
    assert [run["opacity"] for run in runs] == [subject.PALE] * 4
    assert [trace["name"] for trace in figure["data"] if trace["showlegend"]] == ["3", "4"]
    own = [run["y"] for run in runs if run["name"] == "3"]
    assert shallow["y"] == pytest.approx(
        [sum(pair) / 2 for pair in zip(*own, strict=True)], rel=1e-4
    )
    assert "mean of 2 seeds" in deep["hovertemplate"]


def test_runs_that_differ_in_more_than_their_seed_have_no_mean(tree: Any) -> None:
    for name in ("student", "teacher"):
        for depth in (3, 4):
            tree.train(name, 1, axes={"depth": depth}, steps=100, curve=10)

    figure = draw(tree.study())

    assert len(figure["data"]) == 4


def test_a_mean_goes_over_places_that_all_its_seeds_have(tree: Any) -> None:
    for seed, steps in ((1, 100), (2, 60)):
        tree.train("student", seed, steps=steps, curve=steps // 10)
    tree.train("teacher", 1, steps=100, curve=10)

    mean = draw(tree.study())["data"][-1]

    assert mean["x"] == [10, 20, 30, 40, 50, 60]
