import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pyarrow.parquet as pq
import pytest
import torch
from safetensors.torch import load_file

from understudy.core.errors import DataError, DivergedError, UsageError
from understudy.stages import material, train
from understudy.stages.launch import Launched

Launcher = Callable[..., Launched]


def weights(launched: Launched, slot: str = "last") -> dict[str, torch.Tensor]:
    return load_file(launched.run.path / "checkpoints" / slot / "model.safetensors")


def log(launched: Launched, phase: str) -> list[dict[str, Any]]:
    lines = (launched.run.path / "metrics.jsonl").read_text().splitlines()
    return [record for record in map(json.loads, lines) if record["phase"] == phase]


def test_the_baseline_and_the_student_start_from_the_same_weights_and_take_as_many_steps(
    go: Launcher, teacher: Launched, tmp_path: Path
) -> None:
    plan = {"epochs": 0.1, "batch_size": 64}
    baseline = go("train", root=tmp_path, plan=plan, epochs_over="pool")
    student = go("distill", root=tmp_path, plan=plan, teacher=str(teacher.run.path))

    assert baseline.summary["steps"] == student.summary["steps"] == 3
    assert baseline.summary["network"] == student.summary["network"]


def test_a_distillation_reads_no_label_for_training(
    go: Launcher, teacher: Launched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wrong labels everywhere but on validation give the same student, bit for bit."""
    honest = go("distill", root=tmp_path / "honest", teacher=str(teacher.run.path))
    allowed = material.Material.allowed_labels
    monkeypatch.setattr(material.Material, "allowed_labels", lambda self: (allowed(self) + 3) % 10)
    blind = go("distill", root=tmp_path / "blind", teacher=str(teacher.run.path))

    one, other = weights(honest), weights(blind)
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_training_is_given_no_label_outside_its_subset(
    go: Launcher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: dict[str, Any] = {}
    monkeypatch.setattr(train, "train_method", lambda *_, **kept: given.update(kept) or {})
    launched = go("train", root=tmp_path)

    labels = given["labels"]
    splits = json.loads((launched.run.path / "data" / "splits.json").read_text())
    assert np.flatnonzero(labels >= 0).tolist() == splits["labelled"]
    assert len(splits["labelled"]) == 50


def test_more_labels_are_a_superset_and_seeds_draw_others(go: Launcher, tmp_path: Path) -> None:
    def labelled(per_class: int, seed: int) -> tuple[set[int], dict[str, int]]:
        launched = go(
            "train",
            root=tmp_path,
            labels={"per_class": per_class, "validation_per_class": 5},
            seed=seed,
            plan={"steps": 1},
        )
        splits = json.loads((launched.run.path / "data" / "splits.json").read_text())
        return set(splits["labelled"]), splits["counts"]

    few, counts = labelled(5, 1)
    more, _ = labelled(10, 1)
    others, same_counts = labelled(5, 2)

    assert few < more
    assert few != others
    assert counts == same_counts


def test_a_teacher_keeps_every_bit_while_its_student_learns(
    teacher: Launched, student: Launched
) -> None:
    """The student's run was made after the teacher's, whose files still hold what they held."""
    summary = student.summary["parents"]["teacher"]

    assert summary["identity"] == teacher.summary["identity"]
    assert summary["checkpoint"] == "best"


def test_a_frozen_backbone_moves_neither_weight_nor_statistic(
    go: Launcher, pretrained: Launched, tmp_path: Path
) -> None:
    frozen = go("finetune", root=tmp_path, start=str(pretrained.run.path), frozen=True)

    before, after = weights(pretrained), weights(frozen)
    backbone = [name for name in after if name.startswith("backbone.")]
    assert backbone
    assert all(torch.equal(before[name], after[name]) for name in backbone)


def test_a_whole_finetuning_starts_from_the_pretrained_backbone(
    go: Launcher, pretrained: Launched, tmp_path: Path
) -> None:
    plan = {"steps": 1, "optimizer": {"kind": "sgd", "learning_rate": 1e-12}}

    tuned = go("finetune", root=tmp_path, start=str(pretrained.run.path), plan=plan)

    before, after = weights(pretrained), weights(tuned)
    kept = [name for name in after if name.startswith("backbone.") and name.endswith("weight")]
    assert kept
    assert all(torch.allclose(before[name], after[name], atol=1e-6) for name in kept)


def test_pretraining_reads_labels_for_its_probe_alone(pretrained: Launched) -> None:
    observed = log(pretrained, "validation")

    assert pretrained.summary["labels"] == {"train": 0, "validation": 0}
    assert observed
    assert all(0 <= record["knn_top1"] <= 1 for record in observed)
    assert "best" not in pretrained.summary["checkpoints"]


def test_early_stopping_keeps_the_best_epoch(
    go: Launcher, pretrained: Launched, tmp_path: Path
) -> None:
    plan = {"steps": 200, "observations": 100, "patience": 2, "batch_size": 32}

    tuned = go("finetune", root=tmp_path, start=str(pretrained.run.path), plan=plan)

    observed = log(tuned, "validation")
    best = max(observed, key=lambda record: record["top1"])
    assert tuned.summary["steps"] < tuned.summary["planned_steps"] == 200
    assert tuned.summary["checkpoints"]["best"]["step"] == best["step"]
    assert tuned.summary["checkpoints"]["best"]["val_top1"] == best["top1"]


@pytest.mark.slow
def test_evaluation_puts_all_checkpoints_side_by_side(
    go: Launcher,
    baseline: Launched,
    pretrained: Launched,
    teacher: Launched,
    student: Launched,
) -> None:
    models = [str(launched.run.path) for launched in (baseline, pretrained, teacher, student)]

    evaluation = go("evaluate", models=models)

    seen = evaluation.summary["evaluations"]
    names = [(each["run"].split("/")[0], each["checkpoint"]) for each in seen]
    assert names == [
        (stage, slot) for stage in ("train", "finetune", "distill") for slot in ("last", "best")
    ]
    for each in seen:
        assert np.sum(each["confusion"]) == evaluation.summary["images"] == 359
        table = pq.read_table(
            evaluation.run.path
            / "predictions"
            / f"{each['run'].split('/')[1]}-{each['checkpoint']}.parquet"
        ).to_pydict()
        answers = np.array(table["logits"]).argmax(axis=1)
        assert each["top1"] == pytest.approx(np.mean(answers == np.array(table["label"])))
    assert [each["agreement"] is not None for each in seen] == [False] * 4 + [True] * 2
    (probe,) = evaluation.summary["probes"]
    assert probe["run"].startswith("pretrain/")
    assert probe["labels"] == {"train": 50, "validation": 50}
    assert 0.1 < probe["knn_top1"] <= 1
    assert 0.1 < probe["linear_top1"] <= 1


@pytest.mark.slow
def test_an_export_is_one_checked_file_that_names_its_classes(
    go: Launcher, student: Launched
) -> None:
    exported = go("export", model=str(student.run.path))

    path = exported.run.path / exported.summary["file"]
    properties = {entry.key: entry.value for entry in onnx.load(path).metadata_props}
    assert json.loads(properties["classes"]) == [str(digit) for digit in range(10)]
    assert exported.summary["parity"]["batches"] == [1, 2, 7, 32]
    assert exported.summary["parity"]["agreement"] == 1.0
    assert [entry.name for entry in exported.run.path.glob("*.onnx*")] == ["student.onnx"]


def test_a_loss_that_is_not_finite_ends_with_the_last_good_checkpoint(
    go: Launcher, tmp_path: Path
) -> None:
    settings = {
        "plan": {
            "steps": 400,
            "batch_size": 32,
            "observations": 40,
            "optimizer": {"kind": "sgd", "learning_rate": 1e30, "weight_decay": 0.0},
            "schedule": {"warmup": 1.0},
        }
    }

    with pytest.raises(DivergedError, match="learning_rate"):
        go("train", root=tmp_path, **settings)

    (run,) = (tmp_path / "train").iterdir()
    kept = (
        load_file(run / "checkpoints" / "last" / "model.safetensors")
        if (run / "checkpoints" / "last").exists()
        else {}
    )
    assert all(torch.isfinite(value).all() for value in kept.values() if value.is_floating_point())
    assert not (run / "summary.json").exists()


def test_a_run_without_a_classifier_cannot_teach(
    go: Launcher, pretrained: Launched, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="holds no classifier"):
        go("distill", root=tmp_path, teacher=str(pretrained.run.path))


def test_an_unfinished_run_cannot_teach(go: Launcher, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not a run"):
        go("distill", root=tmp_path, teacher=str(tmp_path / "nowhere"))


def test_more_labels_than_there_are_is_a_data_error(go: Launcher, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="Cannot label 500 images"):
        go("train", root=tmp_path, labels={"per_class": 500})


def test_a_folder_of_another_configuration_is_refused(go: Launcher, tmp_path: Path) -> None:
    go("train", root=tmp_path, out=tmp_path / "mine", plan={"steps": 1})

    with pytest.raises(UsageError, match="other settings"):
        go("train", root=tmp_path, out=tmp_path / "mine", plan={"steps": 2})


def test_a_parent_finished_elsewhere_changes_the_identity(
    go: Launcher, teacher: Launched, student: Launched, pretrained: Launched
) -> None:
    other = go("finetune", name="teacher", start=str(pretrained.run.path), seed=5)

    second = go("distill", name="student", teacher=str(other.run.path))

    assert second.summary["identity"] != student.summary["identity"]
    assert other.summary["identity"] != teacher.summary["identity"]
