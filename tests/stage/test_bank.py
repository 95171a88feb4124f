"""A teacher's stored answers: the same training as with the teacher in the loop, asked once."""

import json
import shutil
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from tests.stage.conftest import SMALL, Launcher, spoiled_copy

from understudy.core.errors import (
    DivergedError,
    InterruptedRunError,
    StorageError,
    UsageError,
)
from understudy.core.files import write_bytes, write_json
from understudy.core.seeds import derived_seed
from understudy.stages.distill import DistillSettings
from understudy.stages.launch import Launched
from understudy.stages.train import TrainSettings

CROP = {"transforms": [{"kind": "random_resized_crop", "scale": [0.4, 1.0]}]}
PLAN = {"epochs": 4, "batch_size": 25, "observations": 2}  # two steps over 50 images
SHOWN: dict[str, Any] = {"views": [CROP], "transfer": "labelled", "plan": PLAN}


def weights(launched: Launched) -> dict[str, torch.Tensor]:
    return load_file(launched.run.path / "checkpoints" / "last" / "model.safetensors")


def bank_of(launched: Launched) -> Path:
    """The bank of a run; each test has a seed of its own, for all share one folder of banks."""
    seed = derived_seed(launched.summary["seed"], "views")
    (place,) = [
        place
        for place in (launched.run.shared / "banks").glob("*/answers.f16")
        if json.loads(place.with_name("bank.json").read_text())["seed"] == seed
    ]
    return place


def test_with_a_view_for_each_epoch_it_is_the_training_with_the_teacher_in_the_loop(
    go: Launcher, teacher: Launched, tmp_path: Path
) -> None:
    asked = {**SHOWN, "teacher": str(teacher.run.path), "root": tmp_path}

    loop = go("distill", name="loop", **asked)
    bank = go("distill", name="bank", **asked, bank={"views": 4})

    fixed = go("distill", name="fixed", **asked, bank={"views": 1})

    def apart(one: Launched, other: Launched) -> float:
        mine, theirs = weights(one), weights(other)
        return max(float((mine[name] - theirs[name]).abs().max()) for name in mine)

    assert 0 < apart(loop, bank) < 0.02, "what float16 makes of eight steps"
    assert apart(loop, fixed) > 10 * apart(loop, bank), "one fixed view is another training"


def test_students_of_other_objectives_and_architectures_share_it(
    go: Launcher, teacher: Launched, tmp_path: Path
) -> None:
    told: list[str] = []
    asked = {**SHOWN, "plan": {**PLAN, "epochs": 1}, "seed": 3, "bank": {"views": 2}}
    asked |= {"teacher": str(teacher.run.path), "root": tmp_path, "say": told.append}

    go("distill", name="first", **asked)
    go("distill", name="hard", **asked, terms=[{"kind": "hard_label"}])
    go("distill", name="deep", **asked, student={**SMALL, "depth": 14})

    assert len([line for line in told if line.startswith("bank: ")]) == 1


def test_another_plan_of_views_is_another_bank(
    go: Launcher, teacher: Launched, tmp_path: Path
) -> None:
    """So that no answer is ever taken for one to other pixels."""
    told: list[str] = []
    shift = {"transforms": [{"kind": "pad_and_crop", "padding": 1}]}
    asked = {**SHOWN, "plan": {**PLAN, "epochs": 1}, "seed": 14, "root": tmp_path}
    asked |= {"teacher": str(teacher.run.path), "say": told.append}

    go("distill", name="crop", **asked, bank={"views": 1})
    go("distill", name="shift", **{**asked, "views": [shift]}, bank={"views": 1})
    go("distill", name="again", **asked, bank={"views": 1}, terms=[{"kind": "logit_mse"}])

    assert len([line for line in told if line.startswith("bank: ")]) == 2


def test_students_of_other_seeds_share_the_bank_of_one_seed_of_views(
    go: Launcher, teacher: Launched, tmp_path: Path
) -> None:
    said: list[str] = []
    asked = {**SHOWN, "teacher": str(teacher.run.path), "root": tmp_path, "say": said.append}
    shared = {"bank": {"views": 2, "seed": 7}, "labels": {"per_class": 5, "seed": 3}}
    one, other = (go("distill", **asked, **shared, seed=seed) for seed in (1, 2))

    assert sum(line.startswith("bank: 2 views of 50 images") for line in said) == 1
    assert not torch.equal(weights(one)["classifier.weight"], weights(other)["classifier.weight"])


def test_the_views_of_a_bank_of_its_own_seed_are_those_of_no_training(tmp_path: Path) -> None:
    """Else the member of that seed would answer to the very pixels that it learned from."""
    of_a_bank = DistillSettings(teacher=tmp_path, seed=1, bank={"views": 2, "seed": 0})
    of_a_training = [TrainSettings(seed=0, generation=each) for each in (0, 1)]

    seeds = {each.stream("views") for each in (of_a_bank, *of_a_training)}

    assert len(seeds) == 3


def test_building_that_was_interrupted_goes_on_and_gives_the_same_file(
    go: Launcher, teacher: Launched, tmp_path: Path
) -> None:
    told: list[str] = []
    asked = {"teacher": str(teacher.run.path), "views": [CROP], "seed": 4, "bank": {"views": 2}}
    asked["plan"] = {"steps": 2, "batch_size": 32}

    with pytest.raises(InterruptedRunError):
        go("distill", root=tmp_path / "a", **asked, stop_after=3, stop_with=signal.SIGTERM)
    continued = go("distill", root=tmp_path / "a", **asked, say=told.append)
    place = bank_of(continued)
    in_two_parts = place.read_bytes()
    shutil.rmtree(place.parent)
    go("distill", root=tmp_path / "b", **asked)

    (note,) = [line for line in told if line.startswith("bank: ")]
    assert "images were asked about before" in note
    assert place.read_bytes() == in_two_parts


def test_a_damaged_bank_is_refused(go: Launcher, teacher: Launched, tmp_path: Path) -> None:
    asked = {**SHOWN, "teacher": str(teacher.run.path), "seed": 5, "bank": {"views": 2}}
    place = bank_of(go("distill", root=tmp_path / "a", **asked))
    answers = np.fromfile(place, np.float16)
    answers[len(answers) // 2] += 1
    place.write_bytes(answers.tobytes())

    with pytest.raises(StorageError, match=r"damaged, .* Delete its folder to have it made again"):
        go("distill", root=tmp_path / "b", **asked)
    shutil.rmtree(place.parent)


def test_answers_that_the_teacher_would_not_give_are_refused(
    go: Launcher, teacher: Launched, tmp_path: Path
) -> None:
    """The file is as it was written, by a version that made other views."""
    asked = {**SHOWN, "teacher": str(teacher.run.path), "seed": 6, "bank": {"views": 2}}
    place = bank_of(go("distill", root=tmp_path / "a", **asked))
    answers = np.fromfile(place, np.float16).reshape(-1, 2, 10)[:, ::-1]
    told = json.loads(place.with_name("bank.json").read_text())
    told["sha256"] = write_bytes(place, answers.tobytes())
    write_json(place.with_name("bank.json"), told)

    with pytest.raises(StorageError, match="are not the teacher's"):
        go("distill", root=tmp_path / "b", **asked)
    shutil.rmtree(place.parent)


def test_a_bank_of_two_kinds_of_views_is_the_training_with_the_teacher_in_the_loop(
    go: Launcher, teacher: Launched, tmp_path: Path
) -> None:
    small = {"transforms": [{"kind": "pad_and_crop", "padding": 1}], "size": 6}
    asked = {**SHOWN, "views": [CROP, small], "teacher": str(teacher.run.path), "root": tmp_path}

    loop = weights(go("distill", name="loop", **asked, seed=7))
    bank = weights(go("distill", name="bank", **asked, seed=7, bank={"views": 8}))

    assert max(float((loop[name] - bank[name]).abs().max()) for name in loop) < 0.02


def test_views_that_the_images_cannot_follow_are_refused_before_the_teacher_is_asked(
    go: Launcher, teacher: Launched, tmp_path: Path
) -> None:
    told: list[str] = []
    colours = {"transforms": [{"kind": "grayscale"}]}
    asked = {**SHOWN, "views": [colours], "teacher": str(teacher.run.path), "bank": {"views": 2}}

    with pytest.raises(UsageError, match="grayscale"):
        go("distill", root=tmp_path, **asked, say=told.append)
    assert not [line for line in told if line.startswith("bank: ")]


def test_an_objective_that_reads_maps_is_refused(go: Launcher, teacher: Launched) -> None:
    asked = {**SHOWN, "teacher": str(teacher.run.path), "bank": {"views": 2}}

    with pytest.raises(UsageError, match="'attention' needs a teacher with stages"):
        go("distill", **asked, terms=[{"kind": "attention"}])


def test_views_that_do_not_come_round_are_refused(go: Launcher, teacher: Launched) -> None:
    with pytest.raises(UsageError, match="5 views come round in turn"):
        go("distill", teacher=str(teacher.run.path), views=[CROP, CROP], bank={"views": 5})


def test_a_teacher_that_answers_nan_is_refused(
    go: Launcher, teacher: Launched, tmp_path: Path
) -> None:
    broken = spoiled_copy(teacher, tmp_path, torch.nan)

    with pytest.raises(DivergedError, match=r"teacher .* answers with NaN"):
        go("distill", root=tmp_path, **SHOWN, teacher=str(broken), bank={"views": 1})


def test_a_disk_that_is_too_small_is_refused_before_anything_is_asked(
    go: Launcher, teacher: Launched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = shutil._ntuple_diskusage(10**9, 10**9, 1000)
    asked = {**SHOWN, "teacher": str(teacher.run.path), "seed": 9, "bank": {"views": 2}}
    monkeypatch.setattr(shutil, "disk_usage", lambda _: full)

    with pytest.raises(StorageError, match=r"the bank needs .* smaller `bank\.views`"):
        go("distill", root=tmp_path, **asked)
    partial = teacher.run.shared / "banks"
    assert all(not one.stat().st_size for one in partial.glob("*/*.partial"))


def test_banks_of_an_ensembles_members_teach_as_the_ensemble_does_and_serve_the_members_alone(
    go: Launcher, tmp_path: Path
) -> None:
    members = [go("train", name=f"member-{seed}", seed=seed, root=tmp_path) for seed in (1, 2)]
    paths = [str(member.run.path) for member in members]
    both = go("ensemble", members=paths, weights=[3, 1], root=tmp_path)
    told: list[str] = []
    asked = {**SHOWN, "root": tmp_path, "seed": 11, "say": told.append}
    ensemble = {**asked, "teacher": str(both.run.path)}

    loop = go("distill", name="loop", **ensemble)
    apart = go("distill", name="apart", **ensemble, bank={"views": 4, "members": True})
    go("distill", name="alone", **asked, teacher=paths[1], bank={"views": 4})

    mine, theirs = weights(loop), weights(apart)
    assert 0 < max(float((mine[name] - theirs[name]).abs().max()) for name in mine) < 0.02
    assert len([line for line in told if line.startswith("bank: ")]) == 2, "one for each member"


def test_banks_of_members_of_which_the_students_classes_are_looked_up(
    go: Launcher, tmp_path: Path
) -> None:
    """The mean is over all classes of the members, before those of the student are taken."""
    random = np.random.default_rng(3)
    for classes in ("abc", "ca"):
        for name in classes:
            (tmp_path / classes / name).mkdir(parents=True)
            for number in range(20):
                shade = 80 * "abc".index(name) + random.integers(0, 60, (8, 8, 3))
                Image.fromarray(shade.astype(np.uint8)).save(
                    tmp_path / classes / name / f"{number}.png"
                )
    few = {"per_class": 4, "validation_per_class": 2}
    three = {"data": {"path": str(tmp_path / "abc")}, "labels": few, "root": tmp_path}
    members = [go("train", name=f"m{seed}", seed=seed, **three) for seed in (1, 2)]
    paths = [str(member.run.path) for member in members]
    both = go("ensemble", members=paths, root=tmp_path, data=three["data"])
    asked = {**SHOWN, "teacher": str(both.run.path), "teacher_classes": "by_name", "seed": 12}
    asked |= {"data": {"path": str(tmp_path / "ca")}, "labels": few, "root": tmp_path}
    asked["plan"] = {**PLAN, "epochs": 4, "batch_size": 8}

    loop = weights(go("distill", name="loop", **asked))
    bank = weights(go("distill", name="bank", **asked, bank={"views": 4, "members": True}))

    assert max(float((loop[name] - bank[name]).abs().max()) for name in loop) < 0.02


def test_members_of_other_sizes_are_asked_the_same_in_the_loop_and_for_a_bank(
    go: Launcher, tmp_path: Path
) -> None:
    members = [go("train", name=f"m{size}", size=size, root=tmp_path) for size in (8, 9)]
    both = go("ensemble", members=[str(each.run.path) for each in members], root=tmp_path)
    once = {"steps": 1, "batch_size": 50, "observations": 1}
    asked = {"root": tmp_path, "transfer": "labelled", "views": [{"transforms": []}], "plan": once}

    def told(**bank: Any) -> float:
        run = go("distill", teacher=str(both.run.path), seed=13, **asked, **bank).run
        first = json.loads((run.path / "metrics.jsonl").read_text().splitlines()[0])
        return float(first["soft_label"])

    assert told() == pytest.approx(told(bank={"views": 1, "members": True}), rel=1e-3)


def test_banks_of_members_are_refused_where_there_are_none(
    go: Launcher, teacher: Launched, tmp_path: Path
) -> None:
    asked = {**SHOWN, "root": tmp_path, "teacher": str(teacher.run.path)}

    with pytest.raises(UsageError, match=r"bank\.members: teacher .* is one network"):
        go("distill", **asked, bank={"views": 4, "members": True})
