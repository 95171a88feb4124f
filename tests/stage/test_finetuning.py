"""What of a network learns, and how fast, through every stage that starts from another."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from tests.stage.conftest import Launcher

from understudy.core.errors import InterruptedRunError, UsageError
from understudy.core.types import Outputs, Tap
from understudy.methods.supervised import Supervised
from understudy.models.backbone import Staged
from understudy.stages.launch import Launched

ELU = {"widths": [16, 16], "activation": "elu", "dropout": 0.5}
HEAD = {"widths": [32, 16], "activation": "elu", "dropout": [0.25, 0.0]}


def weights(launched: Launched, slot: str = "last") -> dict[str, torch.Tensor]:
    return load_file(launched.run.path / "checkpoints" / slot / "model.safetensors")


def log(launched: Launched, phase: str) -> list[dict[str, Any]]:
    lines = (launched.run.path / "metrics.jsonl").read_text().splitlines()
    return [record for record in map(json.loads, lines) if record["phase"] == phase]


def moved(before: Launched, after: Launched) -> set[str]:
    old, new = weights(before), weights(after)
    shared = [name for name in new if name in old and new[name].shape == old[name].shape]
    return {name for name in shared if not torch.equal(old[name], new[name])}


def test_the_last_stages_learn_and_nothing_before_them(
    go: Launcher, pretrained: Launched, tmp_path: Path
) -> None:
    start = str(pretrained.run.path)

    tuned = go("finetune", root=tmp_path, start=start, frozen=True, last_stages=1)

    changed = {name for name in moved(pretrained, tuned) if name.startswith("backbone.")}
    last = {name for name in weights(tuned) if name.startswith("backbone.stages.2.")}
    assert changed == last


def test_more_stages_than_there_are_are_refused(
    go: Launcher, pretrained: Launched, tmp_path: Path
) -> None:
    start = str(pretrained.run.path)

    with pytest.raises(UsageError, match="3 stages behind its stem"):
        go("finetune", root=tmp_path, start=start, frozen=True, last_stages=4)
    with pytest.raises(UsageError, match="set `frozen: true`, or `last_stages: 0`"):
        go("finetune", root=tmp_path, start=start, last_stages=1)


def test_a_head_of_dense_layers_is_trained_everywhere_and_goes_with_the_model(
    go: Launcher, pretrained: Launched, tmp_path: Path
) -> None:
    baseline = go("train", root=tmp_path, head=HEAD)
    teacher = go("finetune", root=tmp_path, start=str(pretrained.run.path), head=ELU)
    student = go("distill", root=tmp_path, teacher=str(teacher.run.path), head=HEAD)
    models = [str(each.run.path) for each in (baseline, teacher, student)]
    evaluation = go("evaluate", root=tmp_path, models=models)
    exported = go("export", root=tmp_path, model=str(student.run.path))

    for each, widths in ((baseline, [32, 16]), (teacher, [16, 16]), (student, [32, 16])):
        dense = [value for name, value in weights(each).items() if name.startswith("dense.")]
        assert [len(value) for value in dense[::2]] == widths
        assert each.summary["parts"]["dense"] == sum(value.numel() for value in dense)
    assert {each["parameters"] for each in evaluation.summary["evaluations"]} == {
        each.summary["parameters"] for each in (baseline, teacher, student)
    }
    assert exported.summary["parity"]["agreement"] == 1


def test_a_stopped_training_with_dropout_goes_on_bit_for_bit(go: Launcher, tmp_path: Path) -> None:
    whole = go("train", root=tmp_path / "whole", head=ELU)
    with pytest.raises(InterruptedRunError):
        go("train", root=tmp_path / "stopped", head=ELU, stop_after=5)

    resumed = go("train", root=tmp_path / "stopped", head=ELU)

    first, second = weights(whole), weights(resumed)
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_a_student_learns_its_head_alone_over_a_backbone_that_was_pretrained(
    go: Launcher, pretrained: Launched, teacher: Launched, tmp_path: Path
) -> None:
    settings = {"teacher": str(teacher.run.path), "frozen": True, "head": HEAD}

    student = go("distill", root=tmp_path, start=str(pretrained.run.path), **settings)

    assert not [name for name in moved(pretrained, student) if name.startswith("backbone.")]
    losses = [record["loss"] for record in log(student, "train")]
    assert losses[-1] < losses[0]
    with pytest.raises(UsageError, match="begins with weights that were drawn"):
        go("distill", root=tmp_path, **settings)


def test_heads_that_nothing_would_teach_are_refused(
    go: Launcher, teacher: Launched, tmp_path: Path
) -> None:
    settings = {"teacher": str(teacher.run.path), "head": HEAD}

    with pytest.raises(UsageError, match="no objective reads this student's logits"):
        go("distill", root=tmp_path, terms=[{"kind": "regression"}], **settings)
    with pytest.raises(UsageError, match="brings the teacher's classifier"):
        go("distill", root=tmp_path, method={"kind": "classifier_reuse"}, **settings)
    deep = go("train", root=tmp_path, head=HEAD)
    with pytest.raises(UsageError, match="`head` of dense layers"):
        go(
            "distill",
            root=tmp_path,
            teacher=str(deep.run.path),
            method={"kind": "classifier_reuse"},
        )


def test_stages_near_the_images_learn_slower_where_rates_fall(
    go: Launcher, pretrained: Launched, tmp_path: Path
) -> None:
    """One step of plain SGD with and without: a stage's step shrinks as its rate does."""
    sgd = {"kind": "sgd", "learning_rate": 0.1, "momentum": 0, "weight_decay": 0}
    plan = {"steps": 1, "batch_size": 32, "optimizer": sgd, "schedule": {"warmup": 0}}
    start = str(pretrained.run.path)

    even = go("finetune", root=tmp_path, start=start, plan=plan)
    falling = go("finetune", root=tmp_path, start=start, plan={**plan, "layer_decay": 0.5})

    before, one, other = weights(pretrained), weights(even), weights(falling)
    for part, factor in (("stem", 0.5**4), ("stages.0", 0.5**3), ("stages.2", 0.5)):
        name = next(n for n in one if n.startswith(f"backbone.{part}") and n.endswith("weight"))
        step, smaller = one[name] - before[name], other[name] - before[name]
        assert torch.allclose(smaller, factor * step, atol=1e-6)
        assert step.abs().max() > 1e-5
    rates = [each["learning_rate"] for each in log(falling, "train")]
    assert rates == [each["learning_rate"] for each in log(even, "train")]


@pytest.mark.parametrize("monitor", ["auc", "macro_f1"])
@pytest.mark.parametrize("stage", ["finetune", "distill"])
def test_training_stops_by_the_figure_that_is_named_and_its_best_counts(
    go: Launcher,
    pretrained: Launched,
    teacher: Launched,
    tmp_path: Path,
    stage: str,
    monitor: str,
) -> None:
    parent = pretrained if stage == "finetune" else teacher
    plan = {"steps": 100, "observations": 50, "patience": 3, "batch_size": 32, "monitor": monitor}

    name = "start" if stage == "finetune" else "teacher"
    tuned = go(stage, root=tmp_path, plan=plan, **{name: str(parent.run.path)})
    judged = go("evaluate", root=tmp_path, models=[str(tuned.run.path)], on="val")

    observed = log(tuned, "validation")
    best = max(observed, key=lambda record: record[monitor])
    assert tuned.summary["steps"] < tuned.summary["planned_steps"]
    assert tuned.summary["checkpoints"]["best"]["step"] == best["step"]
    assert tuned.summary["checkpoints"]["best"][f"val_{monitor}"] == best[monitor]
    assert {"last", "best"} == {each["checkpoint"] for each in judged.summary["evaluations"]}


@pytest.mark.parametrize("stage", ["train", "finetune", "distill"])
def test_classes_may_count_unlike_and_the_summary_says_how(
    go: Launcher, pretrained: Launched, teacher: Launched, tmp_path: Path, stage: str
) -> None:
    parent = {
        "train": {},
        "finetune": {"start": str(pretrained.run.path)},
        "distill": {"teacher": str(teacher.run.path)},
    }
    label = {"kind": "label", "class_weights": "balanced"}
    terms = [label, {"kind": "soft_label"}] if stage == "distill" else [label]

    trained = go(stage, root=tmp_path, terms=terms, **parent[stage])

    weights = trained.summary["class_weights"]
    assert weights == {str(digit): pytest.approx(1.0) for digit in range(10)}  # 5 labels of each
    with pytest.raises(UsageError, match="no number for 0, 1"):
        go(
            stage,
            root=tmp_path,
            terms=[{**label, "class_weights": {"ten": 1}}, *terms[1:]],
            **parent[stage],
        )


@pytest.mark.parametrize("views", [[{}], [{"augment": ["crop", "flip"]}]], ids=["clean", "random"])
def test_a_head_learns_the_same_from_stored_features(
    go: Launcher,
    pretrained: Launched,
    tmp_path: Path,
    views: list[Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As many stored views as epochs are the training without a store; of clean images, one."""
    asked: list[int] = []
    honest = Staged.forward

    def counted(self: Staged, images: torch.Tensor, taps: frozenset[Tap]) -> Outputs:
        asked.append(len(images))
        return honest(self, images, taps)

    monkeypatch.setattr(Staged, "forward", counted)
    plan = {"steps": 24, "batch_size": 16, "observations": 2}  # of 50 images: 7.7 epochs
    settings = {"start": str(pretrained.run.path), "frozen": True, "head": ELU, "plan": plan}

    slow = go("finetune", root=tmp_path, views=views, **settings)
    by_step = len(asked)
    ring = 1 if views == [{}] else 8
    fast = go("finetune", root=tmp_path, views=views, stored_views=ring, **settings)

    first, second = weights(slow), weights(fast)
    assert all(torch.allclose(first[name], second[name], atol=1e-5) for name in first)
    assert [each["top1"] for each in log(slow, "validation")] == [
        each["top1"] for each in log(fast, "validation")
    ]
    assert len(asked) - by_step < by_step


def test_a_student_learns_the_same_from_stored_features_and_stored_answers(
    go: Launcher, pretrained: Launched, teacher: Launched, tmp_path: Path
) -> None:
    settings = {
        "start": str(pretrained.run.path),
        "teacher": str(teacher.run.path),
        "frozen": True,
        "head": HEAD,
        "bank": {"views": 2},
        "views": [{"augment": ["crop"]}],
    }

    slow = go("distill", root=tmp_path, **settings)
    fast = go("distill", root=tmp_path, stored_views=2, **settings)

    first, second = weights(slow), weights(fast)
    assert all(torch.allclose(first[name], second[name], atol=1e-5) for name in first)


def test_features_that_would_not_stay_as_they_are_are_not_stored(
    go: Launcher, pretrained: Launched, teacher: Launched, tmp_path: Path
) -> None:
    start = {"start": str(pretrained.run.path)}
    frozen = {**start, "frozen": True, "stored_views": 2}
    taught = {**frozen, "teacher": str(teacher.run.path)}

    with pytest.raises(UsageError, match="a backbone that does not learn"):
        go("finetune", root=tmp_path, stored_views=1, **start)
    with pytest.raises(UsageError, match="a backbone that does not learn"):
        go("finetune", root=tmp_path, last_stages=1, **frozen)
    with pytest.raises(UsageError, match=r"set `bank\.views: 2`"):
        go("distill", root=tmp_path, **taught)
    with pytest.raises(UsageError, match=r"set `bank\.views: 2`"):
        go("distill", root=tmp_path, bank={"views": 4}, **taught)


def test_the_summary_tells_how_the_last_batches_were_answered(
    go: Launcher, pretrained: Launched, tmp_path: Path
) -> None:
    """Whole images of the batches since the reading of the log before, as they were shown."""
    plan = {"steps": 6, "batch_size": 16, "observations": 2}
    tuned = go("finetune", root=tmp_path, start=str(pretrained.run.path), frozen=True, plan=plan)

    kept = tuned.summary["checkpoints"]
    by_step = {record["step"]: record["top1"] for record in log(tuned, "train")}
    assert list(by_step) == [1, 2, 3, 4, 5, 6]
    for facts in kept.values():
        assert facts["train_images"] == 16
        assert facts["train_top1"] == by_step[facts["step"]]
        assert facts["train_top1"] * 16 == pytest.approx(round(facts["train_top1"] * 16))


def test_batches_between_two_readings_of_the_log_are_told_together(
    go: Launcher, pretrained: Launched, tmp_path: Path
) -> None:
    plan = {"steps": 100, "batch_size": 4, "observations": 1}
    start = str(pretrained.run.path)

    tuned = go("finetune", root=tmp_path, start=start, frozen=True, plan=plan)

    assert tuned.summary["checkpoints"]["last"]["train_images"] == 8


def test_a_spoiled_step_is_not_counted_among_the_last_batches(
    go: Launcher, pretrained: Launched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = Supervised.forward
    steps: list[int] = []

    def spoilt(self: Supervised, batch: Any, guidance: Any) -> Any:
        output = honest(self, batch, guidance)
        steps.append(1)
        return output._replace(loss=output.loss * (float("nan") if len(steps) == 100 else 1.0))

    monkeypatch.setattr(Supervised, "forward", spoilt)
    plan = {"steps": 100, "batch_size": 4, "observations": 1, "tolerated": 1}
    start = str(pretrained.run.path)

    tuned = go("finetune", root=tmp_path, start=start, frozen=True, plan=plan)

    facts = tuned.summary["checkpoints"]["last"]
    assert log(tuned, "train")[-1]["spoiled_steps"] == 1
    assert facts["train_images"] == 4
    assert facts["train_top1"] * 4 == pytest.approx(round(facts["train_top1"] * 4))


def test_a_training_without_labels_tells_no_batch_accuracy(pretrained: Launched) -> None:
    assert "train_top1" not in pretrained.summary["checkpoints"]["last"]
