"""What a self-supervised training cannot do with is said at once, and before anything heavy."""

import json
import shutil
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from safetensors.torch import load_file, save_file
from tests.packs import open_pack
from tests.stage.conftest import SMALL

from understudy.cli import main
from understudy.core.errors import InterruptedRunError, StorageError, UnderstudyError, UsageError
from understudy.core.progress import Silent
from understudy.data.sources.digits import DigitsSettings
from understudy.stages.distill import DistillSettings
from understudy.stages.launch import Launched
from understudy.studies.configure import made_of
from understudy.studies.running import run_study
from understudy.studies.study import read_study

Launcher = Callable[..., Launched]
CROP = {"transforms": [{"kind": "random_resized_crop", "scale": [0.4, 1.0]}]}
SMALL_HEAD = {"hidden": 16, "out": 8}


def refused(
    go: Launcher, root: Path, kind: type[UnderstudyError] = UsageError, **settings: Any
) -> str:
    """What a pretraining says; nothing was measured or trained."""
    with pytest.raises(kind) as caught:
        go("pretrain", root=root, **{"views": [CROP, CROP], **settings})
    assert not list(root.glob("pretrain/*/environment.json"))
    return str(caught.value)


def plan(batch: int) -> dict[str, Any]:
    return {"steps": 4, "batch_size": batch, "observations": 1}


@pytest.mark.parametrize("kind", ["simclr", "byol", "simsiam", "barlow_twins", "vicreg"])
def test_a_batch_of_one_is_too_small_for_batch_norm(
    kind: str, go: Launcher, tmp_path: Path
) -> None:
    told = refused(go, tmp_path, method={"kind": kind}, plan=plan(1))

    assert "`plan.batch_size` is 1, but batch norm needs 2 images" in told
    assert "Set `plan.batch_size` to at least 2" in told


@pytest.mark.parametrize(
    ("batch", "words"),
    [(12, "`method.splits` is 8, which does not divide"), (8, "in each of the 8 parts")],
)
def test_a_batch_that_cannot_be_split_names_both_settings(
    batch: int, words: str, go: Launcher, tmp_path: Path
) -> None:
    told = refused(go, tmp_path, method={"kind": "moco"}, plan=plan(batch))

    assert words in told
    assert "plan.batch_size" in told


def test_a_queue_shorter_than_the_keys_of_a_step_is_refused(go: Launcher, tmp_path: Path) -> None:
    short = {"kind": "moco", "splits": 2, "terms": [{"kind": "info_nce", "queue": 63}]}

    told = refused(go, tmp_path, method=short, plan=plan(32))

    assert "Objective 'info_nce': `queue` holds 63 features, but one step brings 64" in told
    assert "at least 64" in told


@pytest.mark.parametrize(("kind", "term"), [("moco", "info_nce"), ("swav", "swapped_assignment")])
def test_a_queue_longer_than_the_images_is_refused_in_a_terminal(
    kind: str,
    term: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    asked = f"method={{kind: {kind}, terms: [{{kind: {term}, queue: 1296}}]}}"

    assert main(["pretrain", "digits", asked, "plan.epochs=0.01"]) == 2

    told = capsys.readouterr().err
    assert f"Objective '{term}': `queue` holds 1296 features, but there are 1295 images" in told
    assert "Set `queue` to at most 1295." in told
    assert not list(tmp_path.glob("runs/pretrain/*/environment.json"))


def test_a_queue_of_any_length_from_that_on_will_do(go: Launcher, tmp_path: Path) -> None:
    """It need be no multiple: what goes over the end begins at the front."""
    queue = {
        "kind": "moco",
        "splits": 2,
        "projector": {**SMALL_HEAD, "normed": "none"},
        "terms": [{"kind": "info_nce", "queue": 67}],
    }

    done = go("pretrain", root=tmp_path, views=[CROP, CROP], method=queue, plan=plan(32))

    assert done.summary["steps"] == 4


def test_a_batch_larger_than_the_images_is_told(go: Launcher, tmp_path: Path) -> None:
    """There is no last batch to drop: batches go on over the ends of epochs."""
    alone = {"steps": 1, "batch_size": 1500, "observations": 1}
    done = go("pretrain", root=tmp_path, views=[CROP, CROP], plan=alone)

    (told,) = [note for note in done.summary["notes"] if "plan.batch_size" in note]
    assert "`plan.batch_size` is 1500, but there are" in told
    fits = go("pretrain", root=tmp_path, views=[CROP, CROP], plan={**alone, "batch_size": 100})
    assert not [note for note in fits.summary["notes"] if "plan.batch_size" in note]


@pytest.mark.parametrize("kind", ["simclr", "barlow_twins", "vicreg"])
def test_a_term_that_needs_a_guide_is_refused_where_there_is_none(
    kind: str, go: Launcher, tmp_path: Path
) -> None:
    terms = [{"kind": "prediction"}]

    told = refused(go, tmp_path, method={"kind": kind, "terms": terms})

    assert f"method.kind={kind} has one network" in told
    assert "prediction of `method.terms`" in told
    assert "method.kind=byol" in told


def test_a_momentum_network_that_nobody_asks_is_refused(go: Launcher, tmp_path: Path) -> None:
    told = refused(go, tmp_path, method={"kind": "byol", "terms": [{"kind": "nt_xent"}]})

    assert "method.kind=byol keeps a momentum network, but none of `terms` (nt_xent)" in told


def test_colours_of_images_that_have_none_are_named_with_their_view(
    go: Launcher, tmp_path: Path
) -> None:
    colourful = {"transforms": [*CROP["transforms"], {"kind": "color_jitter"}]}

    told = refused(go, tmp_path, views=[CROP, colourful])

    assert "views[1].transforms[1] (color_jitter) changes saturation and hue" in told
    assert "the images have 1 channel" in told


def test_all_of_it_is_said_at_once(go: Launcher, tmp_path: Path) -> None:
    grey = {"transforms": [{"kind": "grayscale"}]}

    told = refused(go, tmp_path, views=[grey], method={"kind": "moco"}, plan=plan(4))

    assert "4 mistakes" in told
    assert "views[0].transforms[0] (grayscale) needs 3 channels" in told
    assert "`views` has 1 of the 2 views" in told
    assert "`queue` holds 4096 features, but there are 1295 images" in told
    assert "`method.splits` is 8" in told


@pytest.mark.parametrize(
    "wanted",
    [
        "byol",
        "barlow_twins",  # its tensors have the names and shapes of SimCLR's
    ],
)
def test_a_checkpoint_of_another_method_is_not_taken_up(
    go: Launcher, tmp_path: Path, wanted: str
) -> None:
    small = {"views": [CROP, CROP], "plan": {**plan(32), "steps": 12}}
    for kind in ("simclr", wanted):
        with pytest.raises(InterruptedRunError):
            go("pretrain", root=tmp_path / kind, method={"kind": kind}, stop_after=3, **small)
    (other,) = (tmp_path / "simclr" / "pretrain").iterdir()
    (own,) = (tmp_path / wanted / "pretrain").iterdir()

    with pytest.raises(UsageError) as folder:
        go("pretrain", root=tmp_path / wanted, out=other, method={"kind": wanted}, **small)
    shutil.rmtree(own / "checkpoints")
    shutil.copytree(other / "checkpoints", own / "checkpoints")
    with pytest.raises(StorageError) as files:
        go("pretrain", root=tmp_path / wanted, method={"kind": wanted}, **small)

    assert f"settings.method.kind: there 'simclr', asked for '{wanted}'" in str(folder.value)
    assert f"are of another run, {other.name.rpartition('-')[2]}" in str(files.value)
    assert "delete the folder" in str(files.value)


def test_a_checkpoint_whose_tensors_are_named_otherwise_is_not_taken_up(
    go: Launcher, tmp_path: Path
) -> None:
    """As one that another version of the program wrote for the same configuration may be."""
    small = {"views": [CROP, CROP], "plan": {**plan(32), "steps": 12}, "method": {"kind": "byol"}}
    with pytest.raises(InterruptedRunError):
        go("pretrain", root=tmp_path, stop_after=3, **small)
    (own,) = (tmp_path / "pretrain").iterdir()
    for slot in (own / "checkpoints").iterdir():
        written, told = slot / "train_state.safetensors", slot / "state.json"
        tensors = load_file(written)
        tensors["method.former"] = tensors.pop(next(iter(sorted(tensors))))
        save_file(tensors, written)
        state = json.loads(told.read_text())
        state["sha256"]["train_state"] = sha256(written.read_bytes()).hexdigest()
        told.write_text(json.dumps(state))

    with pytest.raises(StorageError, match="2 tensors differ, such as"):
        go("pretrain", root=tmp_path, **small)


@pytest.fixture
def refused_by(tmp_path: Path) -> Callable[..., str]:
    """What a study of coloured images says to some of its parameters; nothing was trained."""
    for colour in ("red", "green"):
        (tmp_path / "images" / colour).mkdir(parents=True)
        for number in range(12):
            noise = Image.effect_noise((16, 16), 20 + number + len(colour)).convert("RGB")
            noise.save(tmp_path / "images" / colour / f"{number}.png")

    def refusing(name: str, **parameters: Any) -> str:
        images = {"data": str(tmp_path / "images"), "data.size": 16, "scale": "smoke"}
        asked = made_of(read_study(name), {**images, **parameters})
        assert not asked.mistakes
        with pytest.raises(UsageError) as caught:
            run_study(asked.study, runs=tmp_path / "runs", progress=Silent())
        assert not (tmp_path / "runs" / "train").exists()
        assert not (tmp_path / "runs" / "studies").exists()
        return str(caught.value)

    return refusing


def test_a_study_says_so_before_anything_is_trained_by_its_own_parameters(
    refused_by: Callable[..., str],
) -> None:
    told = refused_by("few-labels", **{"pretrain.batch_size": 1})

    assert told.startswith("few-labels: 1 mistake\n  stages.pretrain  `pretrain.batch_size` is 1,")
    assert "Set `pretrain.batch_size` to at least 2." in told
    assert "plan.batch_size" not in told


def test_a_study_looks_at_its_distillations_and_fine_tunings_too(
    refused_by: Callable[..., str],
) -> None:
    """Which are to begin when a teacher has been trained for hours."""
    few = {"kind": "queue", "queue": 3, "head": "linear"}

    told = refused_by(
        "few-labels-features-first",
        **{
            "features.terms": [few, {"kind": "regression", "views": "cross"}],
            "features.batch_size": 4,
            "data.channels": "grey",
        },
    )

    lines = [line.strip() for line in told.splitlines()]
    assert lines[0].startswith("few-labels-features-first: ")
    (queue,) = (line for line in lines if "holds 3 features, but one step brings 4" in line)
    assert queue.startswith("stages.features  ")
    assert "lower `features.batch_size`" in queue
    assert "stages.features  `views.distill` has 1 of the 2 views" in told
    assert "stages.teacher  views.finetune[0].transforms[2] (color_jitter)" in told
    assert "stages.pretrain  views.pretrain[0].transforms[2] (color_jitter)" in told


def test_what_depends_on_a_teacher_that_is_not_there_waits_for_it(shared: Path) -> None:
    """A reduction to more features than the student has, as a wide teacher may allow."""
    reduced = {"kind": "regression", "reduction": {"width": 48}}
    settings = {"teacher": "later", "student": SMALL, "terms": [reduced]}

    DistillSettings.model_validate(settings).must_fit(open_pack(DigitsSettings(), shared=shared))


def test_a_queue_of_assignments_shorter_than_a_batch_is_refused(
    go: Launcher, tmp_path: Path
) -> None:
    short = {"kind": "swav", "terms": [{"kind": "swapped_assignment", "queue": 31}]}

    assert "holds 31 features, but one step brings 32" in refused(
        go, tmp_path, method=short, plan=plan(32)
    )
