"""Weights from elsewhere in place of a pretraining: what is taken, and what is refused."""

import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import huggingface_hub.constants
import pytest
import timm
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from tests.traps import pickled_trap

from understudy.core.errors import MissingResourceError, UsageError
from understudy.core.files import read_json
from understudy.core.progress import Silent
from understudy.core.types import Tap
from understudy.stages.launch import Launched
from understudy.stages.restore import restored
from understudy.studies.configure import made_of
from understudy.studies.running import run_study
from understudy.studies.study import read_study

Launcher = Callable[..., Launched]
TIMM = {"kind": "timm", "name": "test_resnet"}
PLAIN = {"device": "cpu", "precision": "fp32", "memory_format": "contiguous", "compile": "never"}
POOLED = frozenset({Tap.POOLED})


def test_what_timm_wrote_answers_as_timm_does_without_its_classifier(
    go: Launcher, published: Path, tmp_path: Path
) -> None:
    """Grey images: timm's own model for one channel, of the same file, is the oracle."""
    overlay = {"file": str(published)}
    theirs = timm.create_model(
        "test_resnet", pretrained=True, pretrained_cfg_overlay=overlay, num_classes=0, in_chans=1
    ).eval()

    done = go("adopt", root=tmp_path, backbone=TIMM, weights=str(published))

    ours = restored(done.run.path, "last").network.eval()
    images = torch.rand(2, 1, 32, 32)
    with torch.inference_mode():
        expected = theirs((images - 0.5) / 0.5)  # its pretrained_cfg: mean and deviation of 0.5
        answers = ours(images, POOLED).pooled
    assert answers is not None
    torch.testing.assert_close(answers, expected)
    assert done.summary["weights"]["left_aside"] == ["fc.bias", "fc.weight"]
    assert done.summary["steps"] == 0
    assert done.summary["labels"] == {"train": 0, "validation": 0}


def test_a_run_is_known_by_the_content_of_its_file(
    go: Launcher, published: Path, tmp_path: Path
) -> None:
    told: list[str] = []
    here, there = tmp_path / "here.safetensors", tmp_path / "there.safetensors"
    for place in (here, there):
        shutil.copy(published, place)
    first = go("adopt", root=tmp_path, backbone=TIMM, weights=str(here))
    moved = go("adopt", root=tmp_path, backbone=TIMM, weights=str(there))
    changed = load_file(here)
    changed["bn1.bias"] += 1
    save_file(changed, here)

    other = go("adopt", root=tmp_path, backbone=TIMM, weights=str(here), say=told.append)

    assert moved.was_skipped
    assert moved.run.path == first.run.path
    assert not other.was_skipped
    assert any("images or weights have changed" in line for line in told)


def test_it_stands_where_a_pretraining_stood(
    go: Launcher, pretrained: Launched, tmp_path: Path
) -> None:
    """A run's own checkpoint file, adopted: the features and the probes are the run's."""
    file = pretrained.run.path / "checkpoints" / "last" / "model.safetensors"

    done = go("adopt", root=tmp_path, weights=str(file))
    tuned = go("finetune", root=tmp_path, start=str(done.run.path), frozen=True)
    taught = go("distill", root=tmp_path, teacher=str(tuned.run.path))
    both = [str(pretrained.run.path), str(done.run.path)]
    evaluation = go("evaluate", root=tmp_path, models=both)

    before = load_file(file)
    after = load_file(tuned.run.path / "checkpoints" / "last" / "model.safetensors")
    kept = [name for name in before if name.startswith(("backbone.", "normalise."))]
    assert kept
    assert all(torch.equal(before[name], after[name]) for name in kept)
    own, adopted = evaluation.summary["probes"]
    assert own["knn"] == adopted["knn"]
    assert own["linear_top1"] == adopted["linear_top1"]
    assert all(name.startswith("projector.") for name in done.summary["weights"]["left_aside"])
    assert taught.summary["labels"]["train"] == 50


def test_all_names_and_shapes_that_do_not_fit_are_told_at_once(
    go: Launcher, published: Path, tmp_path: Path
) -> None:
    tensors = load_file(published)
    tensors["bn1.offset"] = tensors.pop("bn1.bias")
    tensors["bn1.weight"] = tensors["bn1.weight"][:3].clone()
    del tensors["layer1.0.conv1.weight"]
    wrong = tmp_path / "wrong.safetensors"
    save_file(tensors, wrong)

    with pytest.raises(UsageError) as caught:
        go("adopt", root=tmp_path, backbone=TIMM, weights=str(wrong))

    told = str(caught.value)
    assert f"{wrong}: 4 mistakes" in told
    assert "bn1.bias  missing; the nearest of its shape is bn1.offset" in told
    assert "bn1.offset  unknown; the nearest of its shape is bn1.bias" in told
    assert "layer1.0.conv1.weight  missing\n" in told
    assert "bn1.weight  is 3 in the file, 32 in the network" in told


def refused(go: Launcher, root: Path, kind: type[Exception] = UsageError, **settings: Any) -> str:
    with pytest.raises(kind) as caught:
        go("adopt", root=root, **settings)
    assert not (root / "adopt").exists()
    return str(caught.value)


def test_a_pickle_is_refused_unread(go: Launcher, tmp_path: Path) -> None:
    weights = tmp_path / "weights.pt"
    weights.write_bytes(pickled_trap(tmp_path / "executed"))

    with pytest.raises(UsageError, match="safetensors only"):
        go("adopt", root=tmp_path, backbone=TIMM, weights=str(weights))
    assert not (tmp_path / "executed").exists()


def test_what_cannot_be_is_refused_before_anything_is_made(
    go: Launcher, pretrained: Launched, tmp_path: Path
) -> None:
    assert "no such file" in refused(go, tmp_path, weights=str(tmp_path / "nothing"))
    run = str(pretrained.run.path)
    assert "Did you mean" in refused(go, tmp_path, weights=run)
    assert "go with `backbone.kind: timm`" in refused(go, tmp_path, weights="timm")
    assert "no weights test_resnet.a0" in refused(
        go, tmp_path, backbone=TIMM, weights="timm", tag="a0"
    )
    bare = next(
        name for name in timm.list_models("resnet*") if not timm.list_pretrained(f"{name}.*")
    )
    none = {"kind": "timm", "name": bare}
    assert f"has no weights of {bare}" in refused(go, tmp_path, backbone=none, weights="timm")


def test_a_class_that_is_named_twice_is_refused(go: Launcher, published: Path) -> None:
    with pytest.raises(UsageError, match="classes: b named twice"):
        go("adopt", backbone=TIMM, weights=str(published), classes=["a", "b", "b"])


def test_without_a_word_on_the_normalisation_it_is_asked_for(
    go: Launcher, pretrained: Launched, tmp_path: Path
) -> None:
    own = load_file(pretrained.run.path / "checkpoints" / "last" / "model.safetensors")
    bare = {n.removeprefix("backbone."): t for n, t in own.items() if n.startswith("backbone.")}
    file = tmp_path / "bare.safetensors"
    save_file(bare, file)

    with pytest.raises(UsageError, match="Set `mean` and `std`"):
        go("adopt", root=tmp_path, weights=str(file))
    done = go("adopt", root=tmp_path / "runs", weights=str(file), mean=[0.25], std=[0.5])

    taken = load_file(done.run.path / "checkpoints" / "last" / "model.safetensors")
    assert (taken["normalise.mean"].tolist(), taken["normalise.std"].tolist()) == ([0.25], [0.5])


def test_a_size_that_the_network_cannot_take_is_told(go: Launcher, tmp_path: Path) -> None:
    torch.manual_seed(1)
    file = tmp_path / "vit.safetensors"
    save_file(timm.create_model("test_vit").state_dict(), file)
    backbone = {"kind": "timm", "name": "test_vit"}

    with pytest.raises(UsageError, match=r"cannot take images of 8 x 8 .*img_size"):
        go("adopt", root=tmp_path, backbone=backbone, weights=str(file))
    small = {**backbone, "options": {"img_size": 8, "patch_size": 4}}
    done = go("adopt", root=tmp_path / "runs", backbone=small, weights=str(file))

    assert done.summary["parameters"] > 0  # position and patch embeddings resampled by timm


def test_a_download_that_fails_says_how_to_do_without(
    go: Launcher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "cache"))

    told = refused(go, tmp_path / "runs", MissingResourceError, backbone=TIMM, weights="timm")

    assert MissingResourceError.exit_code == 7
    assert "test_resnet.r160_in1k" in told
    assert "weights=FILE" in told


def test_what_was_downloaded_before_is_found_with_its_tag_and_licence(
    go: Launcher, published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hub's cache, laid out by hand."""
    cache = tmp_path / "cache"
    place = cache / "models--timm--test_resnet.r160_in1k"
    (place / "snapshots" / "abc").mkdir(parents=True)
    (place / "refs").mkdir()
    (place / "refs" / "main").write_text("abc")
    shutil.copy(published, place / "snapshots" / "abc" / "model.safetensors")
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(cache))

    done = go("adopt", root=tmp_path / "runs", backbone=TIMM, weights="timm")

    weights = done.summary["weights"]
    assert (weights["source"], weights["tag"]) == ("timm/test_resnet.r160_in1k", "r160_in1k")
    assert weights["licence"] == "apache-2.0"
    config = (done.run.path / "config.yaml").read_text()
    assert "tag: r160_in1k" in config


@pytest.mark.slow
def test_the_shipped_study_starts_from_a_file_and_reports_where_it_came_from(
    published: Path, tmp_path: Path
) -> None:
    for position, colour in enumerate(("red", "green", "blue")):
        folder = tmp_path / "images" / colour
        folder.mkdir(parents=True)
        for number in range(12):
            tint = Image.new("RGB", (24, 24), (70 * position, 15 * number, 200 - 60 * position))
            noise = Image.effect_noise((24, 24), 30 + number).convert("RGB")
            Image.blend(noise, tint, 0.6).save(folder / f"{number}.png")
    study = made_of(
        read_study("few-labels-pretrained"),
        {
            "data": str(tmp_path / "images"),
            "data.size": 24,
            "teacher.name": "test_resnet",
            "start.weights": str(published),
            "scale": "smoke",
        },
    ).study
    plain = dataclasses.replace(study, machine=PLAIN)

    outcome = run_study(plain, runs=tmp_path / "runs", progress=Silent())

    assert outcome.exit_code == 0
    teacher = next((tmp_path / "runs" / "finetune").iterdir())
    start = read_json(teacher / "summary.json")["parents"]["start"]
    assert start["run"].startswith("adopt/pretrain-")
    page = (outcome.folder / "report.html").read_text()
    assert "model.safetensors" in page
    assert "was not trained here" in page
    assert "4 trainings took" in page


def test_weights_that_do_not_fit_stop_a_study_before_anything_is_trained(
    published: Path, tmp_path: Path
) -> None:
    """The file is there, but of another network; the baseline, which needs none, stands first."""
    study = made_of(
        read_study("few-labels-pretrained"),
        {
            "data": {"kind": "digits"},
            "teacher.name": "test_convnext",
            "start.weights": str(published),
            "scale": "smoke",
        },
    ).study

    with pytest.raises(UsageError, match=r"stem\.0\.weight  missing"):
        run_study(study, runs=tmp_path / "runs", progress=Silent())

    assert not (tmp_path / "runs" / "train").exists()
