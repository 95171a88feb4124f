"""Distillation between networks that name no class, and what can be done with its student."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from tests.stage.conftest import SMALL, Launcher

from understudy.core.errors import InterruptedRunError, StorageError, UsageError
from understudy.core.files import write_bytes, write_json
from understudy.guidance import bank as banks
from understudy.stages import distill as stage
from understudy.stages import material, starting_from, training
from understudy.stages.launch import Launched
from understudy.stages.restore import Restored, Slot, restored

CROP = {"transforms": [{"kind": "random_resized_crop", "scale": [0.4, 1.0]}]}
REGRESSION = {"kind": "regression", "views": "cross"}
NARROW = {"kind": "cifar_resnet", "depth": 8, "width": 0.25}
PLAN = {"epochs": 4, "batch_size": 25, "observations": 2}  # two steps over 50 images
SHOWN: dict[str, Any] = {"views": [CROP, CROP], "transfer": "labelled", "plan": PLAN}
SLOW = {"plan": {**PLAN, "optimizer": {"kind": "sgd", "learning_rate": 0.01}}}
"""Steps so small that what float16 rounds does not grow from one to the next."""


def weights(launched: Launched, slot: str = "model") -> dict[str, torch.Tensor]:
    return load_file(launched.run.path / "checkpoints" / "last" / f"{slot}.safetensors")


def log(launched: Launched) -> list[dict[str, Any]]:
    lines = (launched.run.path / "metrics.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def apart(one: Launched, other: Launched) -> float:
    mine, theirs = weights(one), weights(other)
    return max(float((mine[name] - theirs[name]).abs().max()) for name in mine)


def losses(launched: Launched) -> list[float]:
    return [record["loss"] for record in log(launched) if record["phase"] == "train"]


def farthest(one: Launched, other: Launched) -> float:
    """The largest difference of their losses over the training."""
    return max(abs(a - b) for a, b in zip(losses(one), losses(other), strict=True))


@pytest.fixture(scope="module")
def headless(go: Launcher, pretrained: Launched) -> Launched:
    return go(
        "distill",
        name="headless",
        teacher=str(pretrained.run.path),
        student=NARROW,
        views=[CROP, CROP],
        terms=[REGRESSION],
    )


def test_the_student_of_a_teacher_without_a_classifier_has_none(
    headless: Launched, pretrained: Launched
) -> None:
    network = json.loads((headless.run.path / "network.json").read_text())
    seen = [record for record in log(headless) if record["phase"] == "validation"]

    assert network["classes"] is None and headless.summary["network"]["classes"] is None
    assert not [name for name in weights(headless) if name.startswith("classifier")]
    assert "classifier" not in headless.summary["parts"]
    assert list(headless.summary["checkpoints"]) == ["last"]
    assert headless.summary["labels"] == {"train": 0, "validation": 0}
    assert headless.summary["parents"]["teacher"]["identity"] == pretrained.summary["identity"]
    assert all("knn_top1" in record and "top1" not in record for record in seen)
    assert -1 <= losses(headless)[-1] < losses(headless)[0]


def test_no_label_changes_a_weight(
    go: Launcher, headless: Launched, pretrained: Launched, tmp_path: Path, monkeypatch: Any
) -> None:
    """Neither one that may be read nor any other."""
    allowed = material.Material.allowed_labels
    monkeypatch.setattr(material.Material, "allowed_labels", lambda self: (allowed(self) + 3) % 10)
    given: dict[str, Any] = {}
    train = stage.__dict__["train_method"]
    monkeypatch.setattr(stage, "train_method", lambda *a, **k: given.update(k) or train(*a, **k))
    blind = go(
        "distill",
        root=tmp_path,
        teacher=str(pretrained.run.path),
        student=NARROW,
        views=[CROP, CROP],
        terms=[REGRESSION],
    )

    assert given["labels"] is None
    assert apart(headless, blind) == 0


def test_it_is_finetuned_and_probed_as_a_pretraining_is_and_teaches_in_its_turn(
    go: Launcher, headless: Launched, pretrained: Launched, tmp_path: Path
) -> None:
    tuned = go("finetune", root=tmp_path, start=str(headless.run.path), frozen=True)
    models = [str(headless.run.path), str(pretrained.run.path), str(tuned.run.path)]
    looked = go("evaluate", models=models, on="val", root=tmp_path)
    grandchild = go(
        "distill", root=tmp_path, teacher=str(headless.run.path), terms=[{"kind": "relational"}]
    )

    backbone = [name for name in weights(headless) if name.startswith("backbone")]
    assert all(torch.equal(weights(tuned)[name], weights(headless)[name]) for name in backbone)
    assert tuned.summary["labels"] == {"train": 50, "validation": 50}
    first, second = looked.summary["probes"]
    assert (first["identity"], second["identity"]) == (
        headless.summary["identity"],
        pretrained.summary["identity"],
    )
    assert first.keys() == second.keys()
    evaluated = {each["identity"] for each in looked.summary["evaluations"]}
    assert evaluated == {tuned.summary["identity"]}
    assert grandchild.summary["labels"] == {"train": 0, "validation": 0}


@pytest.mark.parametrize(
    "term",
    [
        {"kind": "relational"},
        {"kind": "similarity"},
        {"kind": "similarity", "stages": "pooled"},
        {"kind": "queue", "queue": 50},
        {"kind": "queue", "queue": 50, "features": "projected"},
        {"kind": "regression", "features": "projected"},
        {"kind": "regression", "reduction": {"width": 8, "projection": "learned"}},
        {"kind": "contrastive"},
    ],
    ids=lambda term: "-".join(str(value) for value in term.values()),
)
def test_what_compares_features_learns_from_a_teacher_without_a_classifier(
    go: Launcher, pretrained: Launched, tmp_path: Path, term: dict[str, Any]
) -> None:
    student = go("distill", root=tmp_path, teacher=str(pretrained.run.path), terms=[term], **SHOWN)

    assert student.summary["network"]["classes"] is None
    assert np.isfinite(losses(student)).all()


def test_a_classifier_that_teaches_features_alone_has_a_student_without_one(
    go: Launcher, teacher: Launched, pretrained: Launched, tmp_path: Path
) -> None:
    said: list[str] = []
    asked = {**SHOWN, "teacher": str(teacher.run.path), "root": tmp_path, "say": said.append}
    with_labels = [{"kind": "regression"}, {"kind": "label"}]

    features = go("distill", **asked, terms=[{"kind": "regression"}])
    told = [line for line in said if "has no classifier" in line]
    logits = go("distill", **asked, terms=[{"kind": "regression"}, {"kind": "soft_label"}])
    of_a_pretraining = {**asked, "teacher": str(pretrained.run.path)}
    labels = go("distill", **of_a_pretraining, terms=with_labels)

    assert len(told) == 1 and len([line for line in said if "has no classifier" in line]) == 1
    assert features.summary["network"]["classes"] is None
    assert features.summary["labels"] == teacher.summary["labels"]
    for classifier in (logits, labels):
        assert len(classifier.summary["network"]["classes"]) == 10
        assert "val_top1" in classifier.summary["checkpoints"]["last"]
    assert labels.summary["labels"] == {"train": 50, "validation": 50}


def test_what_reads_the_teachers_logits_is_refused_with_the_way_out(
    go: Launcher, pretrained: Launched, tmp_path: Path
) -> None:
    asked = {"root": tmp_path, "teacher": str(pretrained.run.path)}
    for term in ("soft_label", "hard_label", "dist"):
        with pytest.raises(
            UsageError,
            match=rf"'{term}' needs a teacher with a classifier: .*terms=\[{{kind: regression",
        ):
            go("distill", **asked, terms=[{"kind": term}])
    with pytest.raises(UsageError, match=r"teacher_classes: .* names no class.*Take it out"):
        go("distill", **asked, terms=[REGRESSION], teacher_classes="by_name")
    with pytest.raises(UsageError, match=r"classifier_reuse takes over the teacher's classifier"):
        go("distill", **asked, method={"kind": "classifier_reuse"})
    with pytest.raises(UsageError, match=r"'queue': `queue` holds 5000.*at most 50"):
        go("distill", **asked, **SHOWN, terms=[{"kind": "queue", "queue": 5000}])
    with pytest.raises(UsageError, match=r"holds 30 features, but one step brings 50"):
        go("distill", **asked, **SHOWN, terms=[{"kind": "queue", "queue": 30}])


@pytest.mark.parametrize(
    "terms",
    [
        [{"kind": "queue", "queue": 100}],  # it wraps
        [{"kind": "queue", "queue": 100, "queues": 2, "itself": False, "head": "none"}],
        [{**REGRESSION, "reduction": {"width": 8, "projection": "fixed"}}],
        [{**REGRESSION, "reduction": {"width": 8, "projection": "learned"}}],
    ],
    ids=["queue", "queues", "fixed", "learned"],
)
def test_it_resumes_bit_for_bit_with_queue_and_reduction(
    go: Launcher, pretrained: Launched, tmp_path: Path, terms: list[dict[str, Any]]
) -> None:
    settings = {"views": [CROP, CROP], "teacher": str(pretrained.run.path), "terms": terms}
    whole = go("distill", root=tmp_path / "whole", **settings)
    with pytest.raises(InterruptedRunError):
        go("distill", root=tmp_path / "parts", stop_after=5, **settings)

    parts = go("distill", root=tmp_path / "parts", **settings)

    for name in ("model", "train_state"):
        one, other = weights(whole, name), weights(parts, name)
        assert one.keys() == other.keys()
        assert [key for key in one if not torch.equal(one[key], other[key])] == []


@pytest.mark.parametrize("features", ["pooled", "projected"])
def test_a_bank_of_features_is_the_teacher_in_the_loop(
    go: Launcher, pretrained: Launched, tmp_path: Path, features: str
) -> None:
    """Both views' answers are in it, each for the other."""
    asked = {**SHOWN, **SLOW, "teacher": str(pretrained.run.path), "root": tmp_path, "seed": 21}
    asked["terms"] = [{**REGRESSION, "features": features}]

    loop = go("distill", name="loop", **asked)
    bank = go("distill", name="bank", **asked, bank={"views": 8})
    fixed = go("distill", name="fixed", **asked, bank={"views": 2})

    assert 0 < farthest(loop, bank) < 1e-3, "what float16 makes of eight steps"
    assert farthest(loop, fixed) > 10 * farthest(loop, bank), "two fixed views: another training"


def test_logits_and_features_lie_in_banks_of_their_own_that_others_share(
    go: Launcher, teacher: Launched, tmp_path: Path
) -> None:
    said: list[str] = []
    asked = {**SHOWN, **SLOW, "teacher": str(teacher.run.path), "root": tmp_path, "seed": 22}
    both = [{"kind": "soft_label"}, {"kind": "regression"}]

    loop = go("distill", name="loop", **asked, terms=both)
    bank = go("distill", name="both", **asked, terms=both, bank={"views": 8}, say=said.append)
    assert len([line for line in said if line.startswith("bank: ")]) == 2
    for term in ({"kind": "soft_label"}, {"kind": "queue", "queue": 50}):
        go("distill", **asked, terms=[term], bank={"views": 8}, say=said.append)

    assert 0 < farthest(loop, bank) < 1e-3
    assert len([line for line in said if line.startswith("bank: ")]) == 2


def test_building_a_bank_of_features_goes_on_where_it_was_stopped(
    go: Launcher, pretrained: Launched, tmp_path: Path
) -> None:
    told: list[str] = []
    asked = {"teacher": str(pretrained.run.path), "views": [CROP], "seed": 24}
    asked |= {"bank": {"views": 2}, "terms": [{"kind": "relational"}]}
    asked["plan"] = {"steps": 2, "batch_size": 32}

    with pytest.raises(InterruptedRunError):
        go("distill", root=tmp_path / "a", **asked, stop_after=3)
    continued = go("distill", root=tmp_path / "a", **asked, say=told.append)
    loop = go("distill", root=tmp_path, **{**asked, "bank": None})

    (note,) = [line for line in told if line.startswith("bank: ")]
    assert "32 pooled features each" in note and "images were asked about before" in note
    assert 0 < farthest(continued, loop) < 1e-3


def test_features_that_the_teacher_would_not_give_are_refused_however_small_they_are(
    go: Launcher, pretrained: Launched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Features need not be as large as logits: what is tolerated is a share of them."""
    asked = {**SHOWN, "teacher": str(pretrained.run.path), "seed": 25, "bank": {"views": 2}}
    asked["terms"] = [{"kind": "relational"}]
    about = banks._Asked.about
    monkeypatch.setattr(
        banks._Asked, "about", lambda *given: (about(*given) / 2048).astype(np.float16)
    )
    go("distill", root=tmp_path / "a", **asked)
    (place,) = [
        found
        for found in (pretrained.run.shared / "banks").glob("*/answers.f16")
        if json.loads(found.with_name("bank.json").read_text())["ring"] == 2
        and found.stat().st_mtime
        == max(
            one.stat().st_mtime for one in (pretrained.run.shared / "banks").glob("*/answers.f16")
        )
    ]
    kept = np.fromfile(place, np.float16).reshape(-1, 2, 32)
    told = json.loads(place.with_name("bank.json").read_text())
    told["sha256"] = write_bytes(place, kept[:, ::-1].tobytes())
    write_json(place.with_name("bank.json"), told)

    with pytest.raises(StorageError, match="are not the teacher's"):
        go("distill", root=tmp_path / "b", **asked)


def test_a_bank_holds_no_maps(go: Launcher, pretrained: Launched, tmp_path: Path) -> None:
    asked = {"teacher": str(pretrained.run.path), "bank": {"views": 1}, "root": tmp_path}

    with pytest.raises(UsageError, match=r"'similarity' needs a teacher with stages: stored"):
        go("distill", **asked, student=SMALL, terms=[{"kind": "similarity"}])


def test_a_student_goes_on_from_a_distillation_of_features(
    go: Launcher, headless: Launched, teacher: Launched, tmp_path: Path
) -> None:
    """With a step too small to move it, it is where the other ended."""
    still = {"epochs": 1, "batch_size": 25, "optimizer": {"kind": "sgd", "learning_rate": 1e-12}}
    asked = {"root": tmp_path, "teacher": str(teacher.run.path), "student": NARROW, "plan": still}
    going_on = go("distill", name="on", start=str(headless.run.path), **asked)
    afresh = go("distill", name="afresh", **asked)

    def backbone(launched: Launched) -> dict[str, torch.Tensor]:
        found = weights(launched).items()
        return {name: t for name, t in found if "backbone" in name and name.endswith("weight")}

    before, after, other = backbone(headless), backbone(going_on), backbone(afresh)
    assert before.keys() == after.keys()
    assert max(float((before[name] - after[name]).abs().max()) for name in before) < 1e-6
    assert max(float((before[name] - other[name]).abs().max()) for name in before) > 0.1
    assert set(going_on.summary["parents"]) == {"teacher", "start"}
    assert going_on.summary["parents"]["start"]["identity"] == headless.summary["identity"]
    assert going_on.summary["steps_before"] == headless.summary["steps"]
    assert "steps_before" not in afresh.summary


def test_a_fine_tuning_of_it_may_take_as_many_steps_as_a_distillation_and_counts_both(
    go: Launcher, headless: Launched, teacher: Launched, tmp_path: Path
) -> None:
    plan = {"epochs": 0.5, "batch_size": 25, "observations": 1}
    asked: dict[str, Any] = {"root": tmp_path, "start": str(headless.run.path), "plan": plan}

    tuned = go("finetune", epochs_over="pool", **asked)
    taught = go("distill", teacher=str(teacher.run.path), student=NARROW, **asked)

    assert tuned.summary["steps"] == taught.summary["steps"] > 10
    assert tuned.summary["images"] == 50
    assert tuned.summary["steps_before"] == headless.summary["steps"]
    assert tuned.summary["steps_before"] == taught.summary["steps_before"]


def test_a_fine_tuning_counts_the_steps_of_the_checkpoint_that_it_starts_from(
    go: Launcher, teacher: Launched, tmp_path: Path
) -> None:
    """A folder whose best checkpoint is earlier than its last one."""
    changed = tmp_path / "teacher"
    shutil.copytree(teacher.run.path, changed)
    summary = json.loads((changed / "summary.json").read_text())
    summary["checkpoints"]["best"]["step"] = summary["steps"] - 1
    write_json(changed / "summary.json", summary)

    counted = [
        go("finetune", root=tmp_path, start=str(changed), checkpoint=slot, plan=PLAN)
        for slot in ("last", "best")
    ]

    before = summary.get("steps_before", 0) + summary["steps"]
    assert [each.summary["steps_before"] for each in counted] == [before, before - 1]


def test_the_network_that_a_student_goes_on_from_is_read_once(
    go: Launcher,
    headless: Launched,
    teacher: Launched,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read: list[Path] = []

    def counting(path: Path, slot: Slot) -> Restored:
        read.append(path)
        return restored(path, slot)

    monkeypatch.setattr(starting_from, "restored", counting)
    monkeypatch.setattr(training, "restored", counting, raising=False)
    start, by = str(headless.run.path), str(teacher.run.path)
    go("distill", root=tmp_path, teacher=by, start=start, student=NARROW, plan=PLAN)

    assert read == [headless.run.path]


def test_a_start_of_another_backbone_is_refused(
    go: Launcher, pretrained: Launched, teacher: Launched, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="Set `student` to the same"):
        go(
            "distill",
            root=tmp_path,
            teacher=str(teacher.run.path),
            start=str(pretrained.run.path),
            student=NARROW,
        )
