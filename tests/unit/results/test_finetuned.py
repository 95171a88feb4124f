"""Fine-tuned models beside the probes of what they began with, as many labels for both."""

import io
from collections.abc import Mapping
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from tests.unit.results.conftest import Tree, figures
from tests.unit.results.test_frozen import probe

from understudy.results.comparison import comparison
from understudy.results.findings import findings
from understudy.results.finetuned import beside_probes
from understudy.results.finetuned import told as fine_tuned
from understudy.results.markdown import markdown
from understudy.results.records import StudyRecord, read_study
from understudy.results.report import write_report
from understudy.results.screen import show

CLASSES = [f"class {number}" for number in range(10)]
SHARES = {"1%": 10, "10%": 100}
"""Labels by share, those of validation too, of 1,000."""
LINEAR = {"simclr": {1: 0.50, 2: 0.52, 3: 0.51}, "byol": {1: 0.60, 2: 0.63, 3: 0.60}}
LESS = {"1%": 0.2, "10%": 0.1}
"""How much the probes of few labels lose."""
GAIN = {
    "1%": {1: 0.05, 2: 0.04, 3: 0.06},
    "10%": {1: -0.02, 2: -0.03, 3: -0.01},
}


def benchmark(
    tree: Tree,
    *,
    methods: tuple[str, ...] = ("simclr", "byol"),
    seeds: tuple[int, ...] = (1, 2, 3),
    read: int = 0,
    two_kept: bool = False,
    one_start: bool = False,
    names: tuple[str, ...] = ("finetuned",),
    shares: Mapping[str, int] = SHARES,
) -> StudyRecord:
    """Pretrainings whose features are probed, each fine-tuned with two shares of the labels.

    Args:
        tree: Where to write.
        methods: Of the pretrainings.
        seeds: Of all.
        read: Labels that a fine-tuning reads beyond those of the probe.
        two_kept: Whether a pretraining keeps a second checkpoint.
        one_start: Whether the first seed's pretraining serves all.
        names: Of the fine-tunings, all alike.
        shares: Labels of the fine-tunings.
    """
    starts: dict[str, dict[str, Any]] = {}
    kept: dict[str, Any] = {"last": {"step": 9}} | ({"best": {"step": 3}} if two_kept else {})
    for seed in seeds:
        for method in methods:
            if not one_start or method not in starts:
                starts[method] = tree.train(
                    "pretrain",
                    seed,
                    axes={"method": method},
                    summary={"checkpoints": kept, "labels": {"train": 0, "validation": 0}},
                )
            start, of = starts[method], seeds[0] if one_start else seed
            parent = {"start": {key: start[key] for key in ("identity", "run")}}
            told = [probe(start, LINEAR[method][of])]
            tuned = []
            for name, (share, labels) in product(names, shares.items()):
                run = tree.train(
                    name,
                    seed,
                    stage="finetune",
                    axes={"method": method, "share": share},
                    summary={
                        "labels": {
                            "train": labels - labels // 10,
                            "validation": labels // 10 + read,
                        },
                        "parents": parent,
                    },
                )
                top1 = LINEAR[method][of] - LESS[share] + GAIN[share][seed]
                place = {"identity": run["identity"], "run": run["run"], "checkpoint": "last"}
                tuned.append({**place, **figures(top1, CLASSES), "top5": 0.9})
            summary = {"split": "test", "images": 10_000, "leaked": 3}
            summary |= {"probes": told, "evaluations": tuned}
            tree.run("evaluation", seed, axes={"method": method}, summary=summary)
    return read_study(
        tree.study("ssl", axes={"method": [*methods]}, reference={"method": methods[0]})
    )


def test_a_fine_tuning_stands_beside_the_probe_that_read_as_many_labels(tree: Tree) -> None:
    every = beside_probes(comparison(benchmark(tree)))

    found = {(one.line.axes["method"], one.line.axes["share"]): one for one in every}
    assert len(found) == len(every) == 4
    one = found["byol", "1%"]
    assert one.labels == 10
    assert one.share == "@1%"
    assert one.gain.values == pytest.approx([0.05, 0.04, 0.06])
    assert one.gain.is_shown
    assert [figure.shown for figure in one.figures][:4] == [
        "10",
        "41.0† ± 1.7",
        "46.0† ± 1.0",
        "+5.0†",
    ]
    assert found["simclr", "10%"].gain.mean == pytest.approx(-0.02)


@pytest.mark.parametrize("unlike", [{"read": 1}, {"two_kept": True}])
def test_without_a_probe_of_the_same_labels_and_features_nothing_is_compared(
    unlike: dict[str, Any], tree: Tree
) -> None:
    record = benchmark(tree, **unlike)

    assert not beside_probes(comparison(record))
    assert "linear probe of the features that" not in markdown(record)


def test_a_few_are_told_one_by_one_and_many_by_their_range(tree: Tree, tmp_path: Path) -> None:
    few, other = benchmark(tree), Tree(tmp_path / "other")
    LINEAR.setdefault("moco", LINEAR["byol"])
    many = benchmark(other, methods=("simclr", "byol", "moco"))

    sentences = " ".join(one.text for one in findings(few, comparison(few)))
    ranges = " ".join(one.text for one in findings(many, comparison(many)))

    assert (
        "method = byol, share = 1%: Fine-tuned with 10 labels, “finetuned” reaches 46.0 %† of the "
        "test images: +5.0† points against a linear probe of the features that it began with, "
        "which has read as many (95 % interval +2.5 to +7.5, 3 paired seeds)."
    ) in sentences
    assert "Fine-tuned with 10 labels, 3 settings differ from linear probes" in ranges
    assert "Fine-tuned with 100 labels, 3 settings differ" in ranges
    assert "shown to be better in 3, worse in 0" in ranges


def test_an_interval_over_one_beginning_says_so(tree: Tree) -> None:
    record = benchmark(tree, one_start=True)

    told = " ".join(one.text for one in findings(record, comparison(record)))

    assert "(95 % interval +2.5 to +7.5, 3 seeds against one run)" in told
    assert "which has read as many (95 % interval +2.5 to +7.5, 3 paired" not in told


def test_a_range_names_what_differs_in_nothing_but_its_name(tree: Tree) -> None:
    record = benchmark(
        tree, methods=("simclr",), names=("a", "b", "c", "d", "e"), shares={"1%": 10}
    )

    told = " ".join(one.text for one in findings(record, comparison(record)))

    assert "5 settings differ from linear probes" in told
    assert "()" not in told
    assert "points (“a”) to" in told


def test_of_equal_labels_one_alone_is_no_range(tree: Tree) -> None:
    """Four with 10 labels, and one with 100."""
    every = comparison(benchmark(tree, names=("a", "b")))
    rows = [row for row in every.rows if row.name != "b" or row.axes["share"] == "1%"]
    kept = [one for one in rows if one.axes.get("method") != "byol" or one.labels != 100]
    lines = tuple(line for line in every.lines if all(row in kept for row in line.rows))

    told = list(fine_tuned(replace(every, lines=lines)))

    assert len(told) == 2
    assert told[1].startswith("method = simclr, share = 10%: Fine-tuned with 100 labels, “a”")


def test_fine_tuned_models_are_held_to_the_reference_of_the_study(tree: Tree) -> None:
    found = comparison(benchmark(tree)).contrasts

    (one,) = (one for one in found if one.of.axes["share"] == "1%" and one.checkpoint == "last")
    assert one.role == "reference"
    assert one.title == "finetuned − simclr"
    assert one.differences["test_top1"].values == pytest.approx([0.10, 0.11, 0.09])
    assert {one.role for one in found} == {"reference"}


def test_page_markdown_and_screen_show_them(tree: Tree, tmp_path: Path) -> None:
    record = benchmark(tree)
    stream = io.StringIO()

    write_report(record, tmp_path / "report.html")
    show(record, Console(file=stream, width=80))

    page = (tmp_path / "report.html").read_text()
    assert 'id="finetuned"' in page
    assert "| finetuned method=byol share=1% | 10 | 41.0† ± 1.7 |" in markdown(record)
    screen = stream.getvalue().splitlines()
    assert max(map(len, screen)) <= 80
    (head,) = (place for place, line in enumerate(screen) if "fine-tuned beside" in line)
    told = " ".join(screen[head : head + 8])
    assert "tuned" in told
    assert "+5.0†" in told
