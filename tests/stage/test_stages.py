import json
import shutil
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from scipy.special import softmax
from tests.stage.conftest import LABELS

from understudy.core.errors import (
    DataError,
    DivergedError,
    InterruptedRunError,
    MemoryExhaustedError,
    StorageError,
    UsageError,
)
from understudy.core.interrupts import Interrupts
from understudy.core.progress import Silent
from understudy.core.run import Run
from understudy.methods.supervised import Supervised
from understudy.stages import evaluate, material, train
from understudy.stages.costs import cost_of
from understudy.stages.launch import Launched, launch

Launcher = Callable[..., Launched]


def weights(launched: Launched, slot: str = "last") -> dict[str, torch.Tensor]:
    return load_file(launched.run.path / "checkpoints" / slot / "model.safetensors")


def log(launched: Launched, phase: str) -> list[dict[str, Any]]:
    lines = (launched.run.path / "metrics.jsonl").read_text().splitlines()
    return [record for record in map(json.loads, lines) if record["phase"] == phase]


def test_the_baseline_and_the_student_start_from_the_same_weights_and_take_as_many_steps(
    go: Launcher, teacher: Launched, tmp_path: Path
) -> None:
    """With a learning rate of nearly nothing, what is saved is what they started from."""
    plan = {
        "epochs": 0.1,
        "batch_size": 64,
        "optimizer": {"kind": "sgd", "learning_rate": 1e-12},
    }
    baseline = go("train", root=tmp_path, plan=plan, epochs_over="pool")
    student = go("distill", root=tmp_path, plan=plan, teacher=str(teacher.run.path))

    assert baseline.summary["steps"] == student.summary["steps"] == 3
    one, other = weights(baseline), weights(student)
    learned = [name for name in one if name.endswith((".weight", ".bias"))]
    assert learned
    assert all(torch.allclose(one[name], other[name], atol=1e-8) for name in learned)


def test_another_generation_starts_elsewhere_and_shares_the_labelled_images(
    go: Launcher, tmp_path: Path
) -> None:
    nothing = {"steps": 1, "optimizer": {"kind": "sgd", "learning_rate": 1e-12}}
    first, second, again = (
        go("train", root=tmp_path / str(at), plan=nothing, generation=generation)
        for at, generation in enumerate((0, 1, 1))
    )
    of_another_seed = go("train", root=tmp_path, plan=nothing, seed=1, generation=1)

    def start(launched: Launched) -> torch.Tensor:
        return weights(launched)["classifier.weight"]

    def labelled(launched: Launched) -> list[int]:
        found: list[int] = json.loads((launched.run.path / "data/splits.json").read_text())[
            "labelled"
        ]
        return found

    assert torch.equal(start(second), start(again))
    assert not torch.allclose(start(first), start(second), atol=1e-3)
    assert not torch.allclose(start(of_another_seed), start(second), atol=1e-3)
    assert labelled(first) == labelled(second) != labelled(of_another_seed)
    with_its_own = {**LABELS, "seed": 0}
    drawn_alike = go("train", root=tmp_path, plan=nothing, seed=1, labels=with_its_own)
    assert labelled(drawn_alike) == labelled(first)


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


def test_a_distillation_says_how_few_of_its_images_an_objective_reads(
    go: Launcher, teacher: Launched, tmp_path: Path
) -> None:
    said: list[str] = []
    asked = {"teacher": str(teacher.run.path), "root": tmp_path, "say": said.append}
    reading = [{"kind": "decoupled"}]

    go("distill", **asked, terms=reading)
    go("distill", **asked, terms=reading, transfer="labelled")
    go("distill", **asked)

    (told,) = [line for line in said if "labels that may be read" in line]
    assert "50 of 1,2" in told, "five of each digit, of all training images"


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
    go: Launcher, teacher: Launched, tmp_path: Path
) -> None:
    def content() -> dict[Path, str]:
        files = sorted(path for path in teacher.run.path.rglob("*") if path.is_file())
        return {path: sha256(path.read_bytes()).hexdigest() for path in files}

    before = content()
    student = go("distill", root=tmp_path, teacher=str(teacher.run.path))

    assert content() == before
    parent = student.summary["parents"]["teacher"]
    assert (parent["identity"], parent["checkpoint"]) == (teacher.summary["identity"], "best")


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


def test_the_bar_of_an_evaluation_is_not_full_while_costs_are_measured(
    baseline: Launched, shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They take most of its time."""

    class Counted(Silent):
        def begin(self, title: str, total: int) -> None:  # noqa: ARG002
            self.done, self.total = 0, total

        def advance(self, count: int = 1, note: str = "") -> None:  # noqa: ARG002
            self.done += count

    progress, honest = Counted(), cost_of
    before: list[tuple[int, int]] = []

    def seen(path: Path, run: Run) -> dict[str, Any]:
        before.append((progress.done, progress.total))
        return honest(path, run)

    monkeypatch.setattr(evaluate, "cost_of", seen)
    launch(
        "evaluate",
        {"models": [str(baseline.run.path)], "machine": {"device": "cpu", "threads": 1}},
        origin="test",
        name="counted",
        runs=tmp_path,
        shared=shared,
        out=None,
        progress=progress,
        interrupts=Interrupts(),
    )

    assert before == [(2, 4), (3, 4)]
    assert progress.done == progress.total


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
    assert [each["examples"] is not None for each in seen] == [True, False] * 3
    told = json.loads((evaluation.run.path / seen[4]["examples"]).read_text())
    answered = pq.read_table(next(evaluation.run.path.glob("predictions/student*-last.parquet")))
    by_image = {row["image"]: row for row in answered.to_pylist()}
    for one in told:
        logits = np.array(by_image[one["image"]]["logits"])
        assert one["answer"] == str(logits.argmax())
        assert one["class"] == str(by_image[one["image"]]["label"])
        assert one["probability"] == pytest.approx(softmax(logits).max())
        assert one["teacher"]["answer"] in set("0123456789")
        assert len(one["webp"]) < 500  # 8 x 8 pixels
    wrong = [one["probability"] for one in told if one["why"] == "mistake"]
    assert wrong == sorted(wrong, reverse=True)
    assert len(told) <= 48
    (probe,) = evaluation.summary["probes"]
    assert probe["run"].startswith("pretrain/")
    assert probe["labels"] == {"train": 50, "validation": 50}
    assert [each["neighbours"] for each in probe["knn"]] == [20, 200]
    assert all(0.1 < each["top1"] <= each["top5"] <= 1 for each in probe["knn"])
    assert 0.1 < probe["linear_top1"] <= 1


@pytest.mark.slow
def test_an_export_is_one_checked_file_that_names_its_classes(
    go: Launcher, student: Launched
) -> None:
    exported = go("export", model=str(student.run.path))

    path = exported.run.path / exported.summary["file"]
    properties = {entry.key: entry.value for entry in onnx.load(path).metadata_props}
    steps = json.loads(properties["preprocessing"])["steps"]  # for files of any size
    assert "the central square is resized to 8 x 8 pixels (bicubic, antialiased)" in steps
    assert json.loads(properties["classes"]) == [str(digit) for digit in range(10)]
    assert exported.summary["parity"]["batches"] == [1, 2, 7, 32]
    assert exported.summary["parity"]["agreement"] == 1.0
    assert [entry.name for entry in exported.run.path.glob("*.onnx*")] == ["student.onnx"]


@pytest.mark.parametrize("machine", ["fixed", "measured"])
def test_a_loss_that_is_not_finite_leaves_the_last_good_checkpoint(
    machine: str, go: Launcher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the seventh step on, the loss is not a number."""
    plan = {"steps": 20, "batch_size": 32, "observations": 10}
    settings: dict[str, Any] = {"plan": plan}
    if machine == "measured":
        settings["machine"] = {"device": "cpu", "compile": "never"}
    with pytest.raises(InterruptedRunError):
        go("train", root=tmp_path, stop_after=6, **settings)
    (run,) = (tmp_path / "train").iterdir()
    good = (run / "checkpoints" / "last" / "model.safetensors").read_bytes()
    honest = Supervised.forward

    def spoilt(self: Supervised, batch: Any, guidance: Any) -> Any:
        output = honest(self, batch, guidance)
        return output._replace(loss=output.loss * float("nan"))

    monkeypatch.setattr(Supervised, "forward", spoilt)
    with pytest.raises(DivergedError, match="learning_rate") as caught:
        go("train", root=tmp_path, **settings)

    assert caught.value.exit_code == 4
    assert (run / "checkpoints" / "last" / "model.safetensors").read_bytes() == good
    assert not (run / "summary.json").exists()
    monkeypatch.undo()
    assert go("train", root=tmp_path, **settings).summary["steps"] == 20


def test_tolerated_steps_are_skipped_and_counted_over_a_resume(
    go: Launcher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = {"steps": 12, "batch_size": 32, "observations": 12, "tolerated": 2, "average": 0.9}
    honest = Supervised.forward
    calls: list[int] = []

    def spoilt(self: Supervised, batch: Any, guidance: Any) -> Any:
        output = honest(self, batch, guidance)
        calls.append(1)
        factor = float("nan") if len(calls) in (2, 5, 8) else 1.0
        return output._replace(loss=output.loss * factor)

    monkeypatch.setattr(Supervised, "forward", spoilt)
    with pytest.raises(InterruptedRunError):
        go("train", root=tmp_path, stop_after=6, plan=plan)

    with pytest.raises(DivergedError, match=r"3 step\(s\)"):
        go("train", root=tmp_path, plan=plan)


def test_a_run_without_a_classifier_cannot_teach_classes(
    go: Launcher, pretrained: Launched, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="'soft_label' needs a teacher with a classifier"):
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


def test_another_split_of_the_same_images_is_refused(
    go: Launcher, baseline: Launched, pretrained: Launched, tmp_path: Path
) -> None:
    """Its test images may be some that the parent trained on."""
    other = {"seed": 5}

    for stage, settings in (
        ("evaluate", {"models": [str(baseline.run.path)]}),
        ("finetune", {"start": str(pretrained.run.path)}),
        ("distill", {"teacher": str(baseline.run.path)}),
        ("export", {"model": str(baseline.run.path)}),
    ):
        with pytest.raises(UsageError, match="split"):
            go(stage, root=tmp_path, split=other, **settings)


def test_a_split_stated_before_there_was_some_setting_is_the_same_split(
    go: Launcher, baseline: Launched, tmp_path: Path
) -> None:
    old = tmp_path / "old"
    shutil.copytree(baseline.run.path, old)
    summary = json.loads((old / "summary.json").read_text())
    del summary["split"]["allow_shared_groups"]
    (old / "summary.json").write_text(json.dumps(summary))

    assert go("evaluate", root=tmp_path, models=[str(old)]).summary


@pytest.fixture
def colourful(tmp_path: Path) -> dict[str, Any]:
    """Ten classes of colour images, called like the digits."""
    random = np.random.default_rng(0)
    for digit in range(10):
        folder = tmp_path / "colourful" / str(digit)
        folder.mkdir(parents=True)
        for number in range(8):
            pixels = random.integers(0, 256, (8, 8, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / f"{number}.png")
    return {"kind": "folder", "path": str(tmp_path / "colourful")}


def test_another_number_of_channels_is_a_data_error(
    go: Launcher,
    baseline: Launched,
    pretrained: Launched,
    tmp_path: Path,
    colourful: dict[str, Any],
) -> None:
    labels = {"per_class": 2, "validation_per_class": 1}

    for stage, settings in (
        ("evaluate", {"models": [str(baseline.run.path)]}),
        ("export", {"model": str(baseline.run.path)}),
        ("distill", {"teacher": str(baseline.run.path), "labels": labels}),
        ("finetune", {"start": str(pretrained.run.path), "labels": labels}),
    ):
        with pytest.raises(DataError, match="channels"):
            go(stage, root=tmp_path, data=colourful, **settings)


def test_a_class_list_of_other_names_is_refused_by_name(
    go: Launcher, tmp_path: Path, colourful: dict[str, Any]
) -> None:
    labels = {"per_class": 2, "validation_per_class": 1}
    teacher = go("train", root=tmp_path, data=colourful, labels=labels, plan={"steps": 1})
    (tmp_path / "colourful" / "7").rename(tmp_path / "colourful" / "seven")

    with pytest.raises(DataError, match="seven"):
        go("evaluate", root=tmp_path, data=colourful, models=[str(teacher.run.path)])


def test_a_stage_takes_the_images_and_the_split_of_the_run_it_builds_on(
    go: Launcher, tmp_path: Path, colourful: dict[str, Any]
) -> None:
    teacher = go(
        "train",
        root=tmp_path,
        data=colourful,
        split={"validation": 0.25, "test": 0.25},
        labels={"per_class": 2, "validation_per_class": 1},
        plan={"steps": 1},
    )

    student = go(
        "distill",
        root=tmp_path,
        teacher=str(teacher.run.path),
        labels={"per_class": 2, "validation_per_class": 1},
        plan={"steps": 1},
    )

    assert student.summary["pack"] == teacher.summary["pack"]
    assert student.summary["split"] == teacher.summary["split"]


def test_changed_images_are_a_new_run_that_says_so(
    go: Launcher, tmp_path: Path, colourful: dict[str, Any]
) -> None:
    settings = {
        "data": colourful,
        "labels": {"per_class": 2, "validation_per_class": 1},
        "plan": {"steps": 1},
    }
    first = go("train", root=tmp_path, **settings)
    Image.new("RGB", (8, 8)).save(tmp_path / "colourful" / "3" / "new.png")

    told: list[str] = []
    second = go("train", root=tmp_path, say=told.append, **settings)

    assert not second.was_skipped
    assert second.run.path != first.run.path
    assert any("images have changed" in line for line in told)


def test_every_label_that_went_into_a_student_is_counted_once(
    go: Launcher, baseline: Launched, tmp_path: Path
) -> None:
    more = {"per_class": 8, "validation_per_class": 5}
    both = [{"kind": "soft_label"}, {"kind": "label"}]

    without = go("distill", root=tmp_path, teacher=str(baseline.run.path), labels=more)
    reading = go("distill", root=tmp_path, teacher=str(baseline.run.path), labels=more, terms=both)

    assert baseline.summary["labels"] == {"train": 50, "validation": 50}
    assert without.summary["labels"] == {"train": 50, "validation": 50}
    assert reading.summary["labels"] == {"train": 80, "validation": 50}  # 50 of the 80 are shared


@pytest.mark.parametrize("slot", ["last", "best"])
def test_a_run_whose_weights_are_gone_is_no_parent_and_says_so_when_it_is_found(
    go: Launcher, tmp_path: Path, slot: str
) -> None:
    settings: dict[str, Any] = {"plan": {"steps": 2}, "labels": {"per_class": 2}}
    run = go("train", root=tmp_path, **settings).run.path
    (run / "checkpoints" / slot / "model.safetensors").unlink()

    with pytest.raises(StorageError, match=f"{slot}/model.safetensors is gone.*delete the"):
        go("evaluate", root=tmp_path, models=[str(run)])

    told: list[str] = []
    assert go("train", root=tmp_path, say=told.append, **settings).was_skipped
    assert any(f"{slot}/model.safetensors is gone" in line for line in told)


def test_one_pretraining_serves_every_number_of_labels(go: Launcher, pretrained: Launched) -> None:
    crop = {"transforms": [{"kind": "random_resized_crop", "scale": [0.4, 1.0]}]}

    again = go("pretrain", views=[crop, crop], labels={"per_class": 9})

    assert again.was_skipped
    assert again.run.path == pretrained.run.path


def test_patience_does_not_end_a_pretraining_which_nothing_scores(
    go: Launcher, tmp_path: Path
) -> None:
    crop = {"transforms": [{"kind": "random_resized_crop"}]}
    plan = {"steps": 6, "batch_size": 32, "observations": 6, "patience": 1}

    pretrained = go("pretrain", root=tmp_path, views=[crop, crop], plan=plan)

    assert pretrained.summary["steps"] == 6


def test_one_view_is_too_few_for_simclr(go: Launcher, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="2 views"):
        go("pretrain", root=tmp_path, views=[{"transforms": []}])


def test_colour_changes_of_grey_images_are_refused_before_training(
    go: Launcher, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="grayscale"):
        go("train", root=tmp_path, views=[{"transforms": [{"kind": "grayscale"}]}])


def test_too_little_memory_is_an_error_of_one_run_with_its_exit_code(
    go: Launcher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def exhausted(self: Supervised, batch: Any, guidance: Any) -> Any:  # noqa: ARG001
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(Supervised, "forward", exhausted)
    with pytest.raises(MemoryExhaustedError, match=r"plan\.batch_size") as caught:
        go("train", root=tmp_path)

    assert caught.value.exit_code == 5
    assert not list(tmp_path.glob("train/*/summary.json"))
