import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from understudy.results import calling
from understudy.results.colours import SERIES, colours
from understudy.results.comparison import comparison
from understudy.results.facts import facts
from understudy.results.find import find
from understudy.results.pretrainings import pretrainings

METHODS = ["simclr", "byol", "moco", "simsiam", "barlow_twins", "vicreg", "swav", "dino"]
LOOKS = 5


def looks(*, batch: int, collapsed_from: int = LOOKS) -> list[dict[str, Any]]:
    return [
        {
            "step": 1000 * (place + 1) // batch,
            "epoch": 2.0 * (place + 1),
            "phase": "validation",
            "knn_top1": 0.3 + place / 10,
            "linear_top1": 0.4 + place / 10,
            "spread": 0.5 - place / 10,
            "effective_rank": 30.0 - place,
            "projected_spread": 0.9 - place / 10,
            "projected_effective_rank": 60.0,
            "alignment": 0.5 - place / 20,
            "uniformity": -1 - place / 20,
            "collapsed": float(place >= collapsed_from),
        }
        for place in range(LOOKS)
    ]


def pretrained(
    tree: Any, methods: Sequence[str], *, seeds: Sequence[int] = (1,), collapsed: str = ""
) -> Path:
    for method in methods:
        for seed in seeds:
            tree.run(
                "pretrain",
                seed,
                summary={"checkpoints": {}},
                axes={"method": method},
                metrics=looks(
                    batch=10 * (1 + methods.index(method)),
                    collapsed_from=3 if method == collapsed else LOOKS,
                ),
            )
    path: Path = tree.study()
    return path


def plots(path: Path) -> dict[str, Any]:
    """By caption, what plotly draws."""
    entries = find(path).entries
    painted = colours((entry.node, entry.stage) for entry in entries)
    found = {}
    for plot in map(str, pretrainings(entries, painted)):
        caption = re.search(r"<figcaption>(.*?)<", plot)
        content = re.search(r"<script[^>]*>(.*?)</script>", plot, re.DOTALL)
        assert caption
        assert content
        found[caption[1]] = json.loads(content[1])
    return found


def test_every_method_has_a_line_of_its_own_in_every_plot(tree: Any) -> None:
    found = plots(pretrained(tree, METHODS, seeds=(1, 2)))

    assert list(found) == [
        "k-NN accuracy",
        "Linear probe accuracy",
        "Spread of the features",
        "Spread of the projections",
        "Effective rank",
        "Alignment against uniformity",
    ]
    for caption, plot in found.items():
        means = 0 if caption == "Alignment against uniformity" else len(METHODS)
        named = [trace["name"] for trace in plot["data"] if trace["showlegend"]]
        looks_like = {(trace["line"]["color"], trace["line"].get("dash")) for trace in plot["data"]}
        assert named == METHODS
        assert plot["layout"]["showlegend"]
        assert len(plot["data"]) == 2 * len(METHODS) + means
        assert len(looks_like) == len(METHODS) > len(SERIES)


def test_accuracy_is_drawn_over_epochs_which_batches_of_any_size_share(tree: Any) -> None:
    plot = plots(pretrained(tree, METHODS[:3]))["k-NN accuracy"]

    assert [trace["x"] for trace in plot["data"]] == [[2, 4, 6, 8, 10]] * 3
    assert plot["data"][0]["y"] == [0.3, 0.4, 0.5, 0.6, 0.7]
    assert plot["layout"]["xaxis"]["title"]["text"] == "epoch"


def test_one_pretraining_has_the_name_and_colour_of_the_study(tree: Any) -> None:
    plot = plots(pretrained(tree, ["byol"], seeds=(1, 2)))["k-NN accuracy"]

    assert {trace["name"] for trace in plot["data"]} == {"pretrain"}
    assert {trace["line"]["color"] for trace in plot["data"]} == {"var(--pretrain)"}
    assert not plot["layout"]["showlegend"]


def test_of_very_many_settings_those_of_a_name_share_a_colour(
    tree: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calling, "MOST_NAMES", 3)

    plot = plots(pretrained(tree, METHODS[:4]))["k-NN accuracy"]

    assert {trace["name"] for trace in plot["data"]} == {"pretrain"}


def test_crosses_stand_where_a_run_collapsed_and_nowhere_else(tree: Any) -> None:
    found = plots(pretrained(tree, ["simclr", "byol"], collapsed="byol"))

    spread = found["Spread of the features"]["data"]
    assert [trace["name"] for trace in spread] == ["simclr", "byol", "collapsed"]
    assert (spread[2]["x"], spread[2]["y"]) == ([8, 10], [0.2, 0.1])
    assert found["Spread of the projections"]["data"][2]["y"] == [0.6, 0.5]
    assert "collapsed" not in json.dumps(found["k-NN accuracy"])


def test_a_path_leads_through_alignment_and_uniformity_to_its_end(tree: Any) -> None:
    plot = plots(pretrained(tree, ["simclr", "byol"]))["Alignment against uniformity"]

    assert plot["data"][0]["x"] == [-1, -1.05, -1.1, -1.15, -1.2]
    assert plot["data"][0]["y"] == [0.5, 0.45, 0.4, 0.35, 0.3]
    sizes = plot["data"][0]["marker"]["size"]
    assert len(sizes) == LOOKS
    assert sizes[-1] > max(sizes[:-1])


def test_what_was_pretrained_before_the_geometry_was_logged_keeps_its_plot(tree: Any) -> None:
    tree.train("pretrain", 1)
    tree.train("student", 1)

    assert list(plots(tree.study())) == ["k-NN accuracy"]


def test_each_method_is_told_with_its_own_accuracy(tree: Any) -> None:
    record = find(pretrained(tree, ["simclr", "byol"], seeds=(1, 2)))

    told = [finding.text for finding in facts(record, comparison(record))]

    assert (
        "During pretraining the k-NN accuracy of the frozen features went, first look to last: "
        "simclr from 30.0 % to 70.0 %, byol from 30.0 % to 70.0 % (4 runs)."
    ) in told
