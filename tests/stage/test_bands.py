"""Images of bands through every stage: what a network learned from is what it is asked about."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
import torch
from safetensors.torch import load_file
from tests.rasters import bands, class_folders, patch, tiff

from understudy.cli import main
from understudy.core.errors import DataError, UsageError
from understudy.core.types import Tap
from understudy.data.pack import stored_pack
from understudy.evaluation.exported import Exported
from understudy.stages.launch import Launched
from understudy.stages.restore import classifier

Launcher = Callable[..., Launched]
pytestmark = pytest.mark.slow  # trains and exports

NAMES = ("B04", "B03", "B08")
PAIRS = {"transforms": [{"kind": "pair"}]}
FEW = {"per_class": 3, "validation_per_class": 1}


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return class_folders(tmp_path_factory.mktemp("bands") / "images", each=8)


@pytest.fixture(scope="module")
def data(images: Path) -> dict[str, Any]:
    return {"kind": "folder", "path": str(images), "bands": list(NAMES)}


@pytest.fixture(scope="module")
def pretrained(go: Launcher, data: dict[str, Any]) -> Launched:
    plan = {"steps": 4, "batch_size": 12, "observations": 2}
    return go("pretrain", data=data, labels=FEW, views=[PAIRS, PAIRS], plan=plan)


@pytest.fixture(scope="module")
def tuned(go: Launcher, pretrained: Launched) -> Launched:
    plan = {"steps": 60, "batch_size": 9, "observations": 2}
    return go("finetune", start=str(pretrained.run.path), labels=FEW, plan=plan, name="tuned")


@pytest.fixture(scope="module")
def exported(go: Launcher, tuned: Launched) -> Launched:
    return go("export", model=str(tuned.run.path), int8=True, golden=4)


def statistics(launched: Launched) -> tuple[list[float], list[float]]:
    tensors = load_file(launched.run.path / "checkpoints" / "last" / "model.safetensors")
    return tensors["normalise.mean"].tolist(), tensors["normalise.std"].tolist()


def test_statistics_are_those_of_the_pretraining_images_in_all_that_comes_of_it(
    pretrained: Launched, tuned: Launched, shared: Path
) -> None:
    pack = stored_pack(pretrained.summary["pack"], shared=shared)
    assert pack is not None
    seen = np.array([given != "test" for given in pack.given])
    told = json.loads((pretrained.run.path / "data" / "bands.json").read_text())

    mean, std = statistics(pretrained)

    assert [one["band"] for one in told] == list(NAMES)
    np.testing.assert_allclose([one["mean"] / 65_535 for one in told], mean, rtol=1e-6)
    np.testing.assert_allclose([one["std"] / 65_535 for one in told], std, rtol=1e-6)
    around = pack.images[seen].mean(axis=(0, 2, 3))
    np.testing.assert_allclose([one["mean"] for one in told], around, rtol=0.1)
    assert statistics(tuned) == (mean, std), "a fine-tuning takes them over"


def test_it_learns_what_the_bands_tell(go: Launcher, tuned: Launched) -> None:
    done = go("evaluate", models=[str(tuned.run.path)])

    assert done.summary["evaluations"][0]["top1"] >= 0.8, "the classes differ in brightness alone"


def test_statistics_stay_where_a_network_is_fine_tuned_on_other_images(
    go: Launcher, pretrained: Launched, tmp_path: Path
) -> None:
    """Seed 000's lesson: data is standardised as for the set that was pretrained on."""
    brighter = class_folders(tmp_path / "brighter", classes=2, each=8)
    for place in brighter.rglob("*.tif"):
        values = bands(4, height=18, width=18, most=60_000, seed=sum(str(place).encode()))
        place.write_bytes(tiff(values, description="B02 B03 B04 B08"))
    data = {"kind": "folder", "path": str(brighter), "bands": list(NAMES)}
    plan = {"steps": 2, "batch_size": 4, "observations": 1}

    done = go(
        "finetune",
        root=tmp_path / "runs",
        start=str(pretrained.run.path),
        data=data,
        labels={"per_class": 2, "validation_per_class": 1},
        plan=plan,
    )

    assert statistics(done) == statistics(pretrained)


def test_an_exported_file_takes_sixteen_bits_and_answers_as_the_network(
    exported: Launched, tuned: Launched, images: Path
) -> None:
    file = Exported(exported.run.path / exported.summary["file"], threads=1)
    found = classifier(tuned.run.path, "best")

    assert (file.depth, file.channels) == ("uint16", 3)
    assert exported.summary["int8"]["file"].endswith("int8.onnx")
    pixels = file.preparation.prepared((images / "test/class1/0.tif").read_bytes(), name="a")[None]
    with torch.inference_mode():
        expected = found.network.eval()(pixels, frozenset({Tap.LOGITS})).logits
    assert expected is not None
    torch.testing.assert_close(file.predict(pixels), expected, atol=1e-4, rtol=1e-4)
    page = (exported.run.path / "README.md").read_text()
    assert "takes uint16 [B, 18, 18, 3]" in page
    assert "the bands `B04`, `B03`, `B08`" in page
    assert "Division by 65535" in page


def test_the_scripts_beside_it_agree(exported: Launched, images: Path) -> None:
    for words in (["check.py"], ["predict.py", str(images / "test/class0/0.tif")]):
        done = subprocess.run(
            [sys.executable, *words], cwd=exported.run.path, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr


def test_predict_reads_files_as_training_did_and_refuses_others(
    exported: Launched, images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad = images / "test/class2/0.tif", tmp_path / "bad.tif"
    bad.write_bytes(tiff(bands(2, height=18, width=18)))

    assert main(["predict", str(exported.run.path), str(good)]) == 0
    assert "class2" in capsys.readouterr().out
    assert main(["predict", str(exported.run.path), str(bad)]) == 3
    assert "uint16 in 2 bands" in capsys.readouterr().err


def test_patches_are_learned_from_and_asked_about_as_folders(
    go: Launcher, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(12):
        patch(tmp_path / "p", f"a_{number}", "Rice fields", seed=10 * number, most=500)
        patch(tmp_path / "p", f"b_{number}", "Pastures", seed=10 * number + 200, most=9_000)
    data = {"kind": "patches", "path": str(tmp_path / "p"), "bands": ["B05", "B02"]}
    scheme = {"classes": {"irrigated": ["Rice fields"]}, "otherwise": "dry"}
    trained = go(
        "train",
        data=data,
        schemes={"water": scheme},
        scheme="water",
        labels=FEW,
        plan={"steps": 40, "batch_size": 8, "observations": 1},
        root=tmp_path / "runs",
    )
    exported = go("export", model=str(trained.run.path), root=tmp_path / "runs")
    asked = [tmp_path / "p" / "a_0", tmp_path / "p" / "b_0"]

    assert main(["predict", str(exported.run.path), *map(str, asked)]) == 0

    answers = capsys.readouterr().out.splitlines()
    assert ["irrigated" in answers[0], "dry" in answers[1]] == [True, True]
    done = subprocess.run(
        [sys.executable, "predict.py", *map(str, asked)],
        cwd=exported.run.path,
        capture_output=True,
        text=True,
    )
    first = [line.split("  ")[1].split()[0] for line in done.stdout.splitlines()]
    assert first == ["irrigated", "dry"], done.stderr


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"bands": ["B08", "B03", "B04"]}, r"Set `data\.bands=\[B04,B03,B08\]`"),
        ({"bands": ["B04", "B03"]}, r"given as B04, B03"),
    ],
)
def test_a_network_is_not_shown_other_bands_than_it_learned_from(
    go: Launcher, tuned: Launched, data: dict[str, Any], changes: dict[str, Any], told: str
) -> None:
    with pytest.raises(DataError, match=told):
        go("evaluate", models=[str(tuned.run.path)], data={**data, **changes})


def test_transforms_of_three_colours_are_refused_before_training(
    go: Launcher, data: dict[str, Any]
) -> None:
    grey = {"transforms": [{"kind": "grayscale"}]}
    two = {**data, "bands": ["B04", "B03", "B02", "B08"]}

    with pytest.raises(UsageError, match=r"grayscale.* needs 3 channels"):
        go("train", data=two, labels=FEW, views=[grey])


def test_a_bank_stores_the_answers_to_pairs(go: Launcher, tuned: Launched) -> None:
    """Opening a bank asks the teacher again about some views, so that both must be alike."""
    plan = {"steps": 6, "batch_size": 8, "observations": 2}
    told = {"teacher": str(tuned.run.path), "labels": FEW, "views": [PAIRS], "plan": plan}

    whole = go("distill", bank={"views": 2}, **told)

    assert whole.summary["steps"] == 6


SAME_NUMBERS = {"scale": 10_000, "white": 65_535}


@pytest.fixture(scope="module")
def reflectances(images: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same images as floats, 10,000 being 1."""
    root = tmp_path_factory.mktemp("reflectances") / "images"
    shutil.copytree(images, root)
    for place in root.rglob("*.tif"):
        values = np.moveaxis(tifffile.imread(place), 2, 0) / 10_000
        place.write_bytes(tiff(values.astype(np.float32), description="B02 B03 B04 B08"))
    return root


@pytest.mark.parametrize(
    ("stage", "role", "run"),
    [
        ("evaluate", "models", "tuned"),
        ("evaluate", "models", "pretrained"),
        ("finetune", "start", "pretrained"),
        ("distill", "teacher", "tuned"),
        ("export", "model", "tuned"),
    ],
)
def test_a_network_is_not_shown_numbers_that_mean_something_else(
    go: Launcher,
    reflectances: Path,
    data: dict[str, Any],
    stage: str,
    role: str,
    run: str,
    request: pytest.FixtureRequest,
) -> None:
    place = str(request.getfixturevalue(run).run.path)
    named = {role: [place] if role == "models" else place}
    labels = {} if stage in ("evaluate", "export") else {"labels": FEW}

    with pytest.raises(
        DataError, match=r"from 0 to 65,535, which .*these images hold floats from 0 to 1,"
    ):
        go(stage, data={**data, "path": str(reflectances)}, **named, **labels)


def test_numbers_that_are_taken_to_its_own_are_answered_alike(
    go: Launcher, tuned: Launched, reflectances: Path, data: dict[str, Any]
) -> None:
    models = [str(tuned.run.path)]
    other = {**data, "path": str(reflectances), **SAME_NUMBERS}

    whole, scaled = (go("evaluate", models=models, data=one) for one in (data, other))

    assert whole.summary["pack"] != scaled.summary["pack"]
    for key in ("top1", "per_class", "ece"):
        assert whole.summary["evaluations"][0][key] == scaled.summary["evaluations"][0][key]
    told = go("export", model=models[0], data=other, golden=2).run.path / "README.md"
    assert "float values v, from 0 to 6.5535, become" in told.read_text()
    assert "whole numbers are refused" in told.read_text()


def test_a_network_of_before_numbers_were_kept_goes_on_as_before(
    go: Launcher, tuned: Launched, reflectances: Path, data: dict[str, Any], tmp_path: Path
) -> None:
    before = tmp_path / "runs" / tuned.run.path.parent.name / tuned.run.path.name
    shutil.copytree(tuned.run.path, before)
    told = json.loads((before / "network.json").read_text())
    assert told.pop("numbers") == {"kind": "whole", "white": 65_535}
    (before / "network.json").write_text(json.dumps(told))

    done = go(
        "evaluate",
        root=tmp_path / "runs",
        models=[str(before)],
        data={**data, "path": str(reflectances)},
    )

    assert done.summary["evaluations"]


def test_weights_are_taken_to_other_numbers_on_purpose(
    go: Launcher, pretrained: Launched, reflectances: Path, data: dict[str, Any]
) -> None:
    weights = pretrained.run.path / "checkpoints" / "last" / "model.safetensors"
    own = {"mean": [0.1, 0.1, 0.1], "std": [0.05, 0.05, 0.05]}
    floats = {**data, "path": str(reflectances)}
    plan = {"steps": 2, "batch_size": 9, "observations": 1}

    adopted = go("adopt", weights=str(weights), data=floats, labels=FEW, **own)
    done = go("finetune", start=str(adopted.run.path), data=floats, labels=FEW, plan=plan)

    assert done.summary["network"]["numbers"] == {"kind": "float", "white": 1}
    assert statistics(done)[0] == pytest.approx(own["mean"])


def test_files_of_other_numbers_are_refused_and_read_with_a_scale(
    exported: Launched,
    images: Path,
    reflectances: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    model, name = str(exported.run.path), "test/class1/0.tif"
    assert main(["predict", model, str(images / name)]) == 0
    answer = capsys.readouterr().out.split("  ", 1)[1]

    assert main(["predict", model, str(reflectances / name)]) == 3
    told = " ".join(capsys.readouterr().err.split())
    assert "other numbers (float32: floats from 0 to 1; the model learned from" in told
    assert "`--scale` takes the numbers of files to those" in told
    assert main(["predict", model, str(reflectances / name), "--scale", "10000"]) == 0
    assert capsys.readouterr().out.split("  ", 1)[1] == answer
    assert main(["predict", model, str(images / name), "--scale", "0"]) == 2
    assert "--scale = 0: must be a number above 0" in capsys.readouterr().err
    done = subprocess.run(
        [sys.executable, "predict.py", str(reflectances / name)],
        cwd=exported.run.path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert (
        "float numbers from 0 to 1; the model learned from whole numbers from 0 to 65,535"
        in done.stderr
    )
