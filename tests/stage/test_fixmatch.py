"""FixMatch as a stage: it learns, counts its labels, and goes on where it was stopped."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from tests.stage.conftest import Launcher

from understudy.core.errors import InterruptedRunError, UsageError
from understudy.results.rows import STUDENTS
from understudy.stages.launch import Launched

VIEWS = [
    {"transforms": [{"kind": "pad_and_crop", "padding": 1}]},
    {"transforms": [{"kind": "random_resized_crop", "scale": [0.5, 1.0]}]},
]
SMALL = {"kind": "cifar_resnet", "depth": 8, "width": 0.5}


def log(launched: Launched, phase: str) -> list[dict[str, Any]]:
    lines = (launched.run.path / "metrics.jsonl").read_text().splitlines()
    return [record for record in map(json.loads, lines) if record["phase"] == phase]


def started(go: Launcher, root: Path, **settings: Any) -> Launched:
    plan = {"steps": 20, "batch_size": 8, "observations": 4}
    return go(
        "fixmatch",
        root=root,
        **{"backbone": SMALL, "views": VIEWS, "threshold": 0.3, "plan": plan, **settings},
    )


def test_it_learns_from_images_without_labels_and_counts_those_with(
    go: Launcher, baseline: Launched, tmp_path: Path
) -> None:
    found = started(go, tmp_path)
    judged = go("evaluate", root=tmp_path, models=[str(found.run.path)], on="val")

    records = log(found, "train")
    assert records[-1]["loss"] < records[0]["loss"]
    assert any(record["sure"] > 0 and record["pseudo_label"] > 0 for record in records)
    assert found.summary["labels"] == baseline.summary["labels"]
    assert found.summary["unlabeled"] > found.summary["images"] == 50
    assert judged.summary["evaluations"]
    assert "fixmatch" in STUDENTS  # so that a report holds it to its baseline


def test_it_begins_with_the_weights_of_the_baseline(go: Launcher, tmp_path: Path) -> None:
    """With a learning rate of nearly nothing, what is saved is what they started from."""
    plan = {"steps": 1, "batch_size": 8, "optimizer": {"kind": "sgd", "learning_rate": 1e-12}}

    one = started(go, tmp_path, plan=plan)
    other = go("train", root=tmp_path, plan=plan, backbone=SMALL)

    first, second = (
        load_file(each.run.path / "checkpoints" / "last" / "model.safetensors")
        for each in (one, other)
    )
    learned = [name for name in first if name.endswith((".weight", ".bias"))]
    assert all(torch.allclose(first[name], second[name], atol=1e-8) for name in learned)


def test_a_stopped_one_goes_on_bit_for_bit(go: Launcher, tmp_path: Path) -> None:
    whole = started(go, tmp_path / "whole")
    with pytest.raises(InterruptedRunError):
        started(go, tmp_path / "stopped", stop_after=7)

    resumed = started(go, tmp_path / "stopped")

    first, second = (
        load_file(each.run.path / "checkpoints" / "last" / "model.safetensors")
        for each in (whole, resumed)
    )
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_one_view_is_refused_before_any_work(go: Launcher, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="List 2, the weak one first"):
        started(go, tmp_path, views=VIEWS[:1])


def test_it_goes_on_from_a_pretrained_backbone(go: Launcher, tmp_path: Path) -> None:
    """With a learning rate of nearly nothing, what is saved is what it started from."""
    small = {"steps": 2, "batch_size": 8}
    before = go("pretrain", root=tmp_path, backbone=SMALL, plan=small)
    plan = {**small, "steps": 1, "optimizer": {"kind": "sgd", "learning_rate": 1e-12}}

    found = started(go, tmp_path, plan=plan, start=str(before.run.path))

    first, second = (
        load_file(each.run.path / "checkpoints" / "last" / "model.safetensors")
        for each in (before, found)
    )
    backbone = [name for name in second if "backbone" in name and name.endswith(".weight")]
    assert backbone
    assert all(torch.allclose(first[name], second[name], atol=1e-8) for name in backbone)
    assert found.summary["parents"]["start"]["identity"] == before.run.identity
    assert found.summary["steps_before"] == 2


def test_another_backbone_than_the_starts_is_refused(go: Launcher, tmp_path: Path) -> None:
    before = go("pretrain", root=tmp_path, backbone=SMALL, plan={"steps": 2, "batch_size": 8})
    other = {**SMALL, "width": 0.25}

    with pytest.raises(UsageError, match="Set `backbone` to the same"):
        started(go, tmp_path, backbone=other, start=str(before.run.path))


def test_an_adaptive_threshold_lets_more_be_learned_from_at_first(
    go: Launcher, tmp_path: Path
) -> None:
    """As sure as answers are, of ten classes a tenth at first; and goes on where it was stopped."""
    plan = {"steps": 6, "batch_size": 8, "observations": 1}
    fixed = started(go, tmp_path / "fixed", threshold=0.95, plan=plan)
    adaptive = {"threshold": {"momentum": 0.9}, "plan": plan}
    whole = started(go, tmp_path / "whole", **adaptive)
    with pytest.raises(InterruptedRunError):
        started(go, tmp_path / "stopped", **adaptive, stop_after=3)

    resumed = started(go, tmp_path / "stopped", **adaptive)

    assert log(fixed, "train")[0]["sure"] < log(whole, "train")[0]["sure"]
    first, second = (
        load_file(each.run.path / "checkpoints" / "last" / "model.safetensors")
        for each in (whole, resumed)
    )
    assert all(torch.equal(first[name], second[name]) for name in first)
