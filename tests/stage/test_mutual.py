"""Peers that learn together: told apart, resumed, kept by position or as their mean."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from tests.stage.conftest import SMALL, Launcher

from understudy.core.errors import InterruptedRunError, UsageError
from understudy.stages.launch import Launched

NARROW = {**SMALL, "width": 0.25}
PEERS = [SMALL, NARROW]


def weights(launched: Launched, slot: str = "last") -> dict[str, torch.Tensor]:
    return load_file(launched.run.path / "checkpoints" / slot / "model.safetensors")


@pytest.fixture(scope="module")
def first(go: Launcher) -> Launched:
    return go("mutual", peers=PEERS)


def test_every_peers_accuracy_is_told(first: Launched) -> None:
    summary = first.summary
    last = summary["checkpoints"]["last"]

    assert [peer["backbone"]["width"] for peer in summary["peers"]] == [0.5, 0.25]
    assert [peer["val_top1"] for peer in summary["peers"]] == [
        last["val_peer1_top1"],
        last["val_peer2_top1"],
    ]
    assert last["val_peer1_top1"] == last["val_top1"], "the first is kept by default"
    assert summary["parameters"] == summary["peers"][0]["parameters"]
    assert summary["labels"]["train"] == 50
    records = [
        json.loads(line) for line in (first.run.path / "metrics.jsonl").read_text().splitlines()
    ]
    assert {"label", "soft_label", "peer1", "peer2"} <= records[0].keys()


def test_another_peer_or_the_mean_of_the_same_training_may_be_kept(
    go: Launcher, first: Launched, tmp_path: Path
) -> None:
    second = go("mutual", peers=PEERS, keep=2, root=tmp_path)
    mean = go("mutual", peers=PEERS, keep="mean", root=tmp_path)

    one, two, both = weights(first), weights(second), weights(mean)
    assert all(torch.equal(both[f"members.0.{name}"], one[name]) for name in one)
    assert all(torch.equal(both[f"members.1.{name}"], two[name]) for name in two)
    last = first.summary["checkpoints"]["last"]
    assert mean.summary["checkpoints"]["last"]["val_top1"] == last["val_together_top1"]

    models = [str(each.run.path) for each in (first, second, mean)]
    looked = go("evaluate", models=models, on="val", root=tmp_path)
    told = {
        each["identity"]: each["top1"]
        for each in looked.summary["evaluations"]
        if each["checkpoint"] == "last"
    }
    assert told[second.summary["identity"]] >= 0
    assert len(told) == 3
    exported = go("export", model=str(mean.run.path), root=tmp_path)
    assert exported.summary["parity"]["agreement"] == 1


def test_the_first_peer_begins_as_the_baseline_does(
    go: Launcher, baseline: Launched, tmp_path: Path
) -> None:
    alone = {"terms": [{"kind": "label"}], "root": tmp_path}

    together = go("mutual", peers=[SMALL, NARROW], **alone)

    own, theirs = weights(together), weights(baseline)
    assert all(torch.equal(own[name], theirs[name]) for name in own), "nothing was learnt of peers"


def test_equal_peers_begin_with_different_weights(go: Launcher, tmp_path: Path) -> None:
    plan = {"steps": 1, "batch_size": 32, "observations": 1}

    done = go("mutual", peers=[SMALL, SMALL], keep="mean", plan=plan, root=tmp_path)

    both = weights(done)
    name = "classifier.weight"
    assert not torch.allclose(both[f"members.0.{name}"], both[f"members.1.{name}"], atol=1e-2)


def test_an_interruption_changes_no_weight(go: Launcher, first: Launched, tmp_path: Path) -> None:
    with pytest.raises(InterruptedRunError):
        go("mutual", peers=PEERS, root=tmp_path, stop_after=5)

    resumed = go("mutual", peers=PEERS, root=tmp_path)

    whole, in_two_parts = weights(first), weights(resumed)
    assert all(torch.equal(whole[name], in_two_parts[name]) for name in whole)


def test_the_mean_with_a_moving_average_is_kept_too(go: Launcher, tmp_path: Path) -> None:
    plan: dict[str, Any] = {"steps": 4, "batch_size": 32, "observations": 1, "average": 0.5}

    done = go("mutual", peers=PEERS, keep="mean", plan=plan, root=tmp_path)

    assert 0 <= done.summary["checkpoints"]["last"]["val_top1"] <= 1


def test_what_cannot_be_is_refused(go: Launcher, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="peer 3 is asked for, but there are 2"):
        go("mutual", peers=PEERS, keep=3, root=tmp_path)
    with pytest.raises(UsageError, match="peers"):
        go("mutual", peers=[SMALL], root=tmp_path)
    with pytest.raises(UsageError, match="Peers compare logits alone"):
        go("mutual", peers=PEERS, terms=[{"kind": "regression"}], root=tmp_path)


def test_a_student_learns_from_one(go: Launcher, first: Launched, tmp_path: Path) -> None:
    student = go("distill", teacher=str(first.run.path), root=tmp_path)

    assert student.summary["parents"]["teacher"]["identity"] == first.summary["identity"]


def test_labels_that_no_objective_reads_are_not_read(go: Launcher, tmp_path: Path) -> None:
    run = go("mutual", root=tmp_path, terms=[{"kind": "soft_label"}])

    assert run.summary["labels"] == {"train": 0, "validation": 50}
