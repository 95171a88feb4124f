"""SimKD through every stage: trained, resumed, evaluated, exported, asked, and counted."""

import json
import re
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from tests.stage.conftest import Launcher

from understudy.core.errors import InterruptedRunError, UsageError
from understudy.stages.launch import Launched

REUSE = {"kind": "classifier_reuse"}
NARROW = {"kind": "cifar_resnet", "depth": 8, "width": 0.25}


def weights(launched: Launched) -> dict[str, torch.Tensor]:
    return load_file(launched.run.path / "checkpoints" / "last" / "model.safetensors")


@pytest.fixture(scope="module")
def reused(go: Launcher, teacher: Launched) -> Launched:
    return go("distill", name="reuse", teacher=str(teacher.run.path), student=NARROW, method=REUSE)


def test_what_answers_is_student_neck_and_the_teachers_classifier(
    go: Launcher, teacher: Launched, reused: Launched
) -> None:
    slot = reused.summary["parents"]["teacher"]["checkpoint"]
    theirs = load_file(teacher.run.path / "checkpoints" / slot / "model.safetensors")
    own, parts = weights(reused), reused.summary["parts"]

    assert torch.equal(own["classifier.weight"], theirs["classifier.weight"])
    assert torch.equal(own["classifier.bias"], theirs["classifier.bias"])
    counted = sum(
        tensor.numel()
        for name, tensor in own.items()
        if not name.startswith("normalise") and "running" not in name and "batches" not in name
    )
    assert reused.summary["parameters"] == counted == sum(parts.values())
    assert parts["neck"] == sum(
        tensor.numel()
        for name, tensor in own.items()
        if name.startswith("neck") and "running" not in name and "batches" not in name
    )
    assert reused.summary["labels"]["train"] == teacher.summary["labels"]["train"]
    records = [
        json.loads(line) for line in (reused.run.path / "metrics.jsonl").read_text().splitlines()
    ]
    trained = [record for record in records if record["phase"] == "train"]
    assert "classifier_reuse" in trained[0]
    assert trained[-1]["loss"] < trained[0]["loss"]

    plain = go("distill", name="plain", teacher=str(teacher.run.path), student=NARROW)
    looked = go("evaluate", models=[str(reused.run.path), str(plain.run.path)], on="val")
    costs = {each["identity"]: each for each in looked.summary["evaluations"]}
    mine, other = (costs[each.summary["identity"]] for each in (reused, plain))
    assert mine["parameters"] == counted > other["parameters"]
    assert mine["macs"] > other["macs"]


def test_it_is_exported_with_what_it_grew_by(go: Launcher, reused: Launched) -> None:
    exported = go("export", model=str(reused.run.path))

    assert exported.summary["parity"]["agreement"] == 1
    page = (exported.run.path / "README.md").read_text()
    neck, total = reused.summary["parts"]["neck"], reused.summary["parameters"]
    assert f"{neck:,} of its {total:,} parameters lead to it" in re.sub(r"\s+", " ", page)


def test_an_interruption_changes_no_weight(
    go: Launcher, teacher: Launched, reused: Launched, tmp_path: Path
) -> None:
    asked = {"teacher": str(teacher.run.path), "student": NARROW, "method": REUSE}
    with pytest.raises(InterruptedRunError):
        go("distill", root=tmp_path, **asked, stop_after=5)

    resumed = go("distill", root=tmp_path, **asked)

    whole, in_two_parts = weights(reused), weights(resumed)
    assert all(torch.equal(whole[name], in_two_parts[name]) for name in whole)


def test_further_terms_count_beside_its_own(
    go: Launcher, teacher: Launched, tmp_path: Path
) -> None:
    asked = {"teacher": str(teacher.run.path), "student": NARROW, "root": tmp_path}
    asked["plan"] = {"steps": 2, "batch_size": 32}

    done = go("distill", **asked, method=REUSE, terms=[{"kind": "soft_label"}])

    record = json.loads((done.run.path / "metrics.jsonl").read_text().splitlines()[0])
    parts = record["classifier_reuse"] + record["soft_label"]
    assert record["loss"] == pytest.approx(parts, rel=1e-5)


def test_stored_answers_are_refused(go: Launcher, teacher: Launched) -> None:
    with pytest.raises(UsageError, match=r"bank: .* method\.kind=classifier_reuse compares"):
        go("distill", teacher=str(teacher.run.path), method=REUSE, bank={"views": 2})


def test_an_ensemble_is_refused(go: Launcher, baseline: Launched, tmp_path: Path) -> None:
    other = go("train", name="other", seed=3)
    both = go("ensemble", members=[str(baseline.run.path), str(other.run.path)], root=tmp_path)

    with pytest.raises(UsageError, match="this one has none of its own, as ensembles"):
        go("distill", teacher=str(both.run.path), method=REUSE, root=tmp_path)


def test_a_mistake_in_its_settings_is_told_as_any(go: Launcher, teacher: Launched) -> None:
    with pytest.raises(UsageError, match=r"method\.factor"):
        go("distill", teacher=str(teacher.run.path), method={**REUSE, "factor": 0})
    with pytest.raises(UsageError, match=r"method\.kind"):
        go("distill", teacher=str(teacher.run.path), method={"kind": "simkd"})


def test_its_backbone_alone_goes_elsewhere_and_that_is_said(
    go: Launcher, reused: Launched, tmp_path: Path
) -> None:
    """Its classifier reads what the neck makes, also where the widths happen to fit."""
    file = reused.run.path / "checkpoints" / "last" / "model.safetensors"
    said: list[str] = []

    with pytest.raises(UsageError, match="reads the backbone's features"):
        go(
            "adopt",
            root=tmp_path,
            backbone=NARROW,
            weights=str(file),
            classes=[str(digit) for digit in range(10)],
        )
    go("finetune", root=tmp_path, start=str(reused.run.path), say=said.append)
    assert any("left aside, its backbone goes on" in line for line in said)
