"""A timm model with its own classifier, its own size and normalisation, teaches."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
import torch.nn.functional as F
from PIL import Image
from safetensors.torch import save_file
from tests.stage.conftest import Launcher

from understudy.core.errors import DataError, UsageError
from understudy.core.types import Batch, Tap
from understudy.guidance.teacher import Teacher
from understudy.models.frozen import Frozen
from understudy.stages.launch import Launched
from understudy.stages.restore import restored

TENCH, GOLDFISH, SHARK = "n01440764", "n01443537", "n01484850"  # ImageNet's first three classes
TIMM = {"kind": "timm", "name": "test_resnet"}
SIZE = 40


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Photographs of 24 x 24 pixels, of two of the classes, not in ImageNet's order of names."""
    folder = tmp_path_factory.mktemp("fish")
    random = np.random.default_rng(0)
    for name, colour in ((SHARK, (60, 60, 200)), (TENCH, (200, 60, 60))):
        (folder / name).mkdir()
        for number in range(24):
            noise = random.integers(-40, 40, (24, 24, 3))
            pixels = np.clip(np.array(colour) + noise, 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{number}.png")
    return {"path": str(folder)}


@pytest.fixture(scope="module")
def adopted(go: Launcher, published: Path, images: dict[str, Any]) -> Launched:
    return go(
        "adopt",
        data=images,
        backbone=TIMM,
        weights=str(published),
        classes="timm",
        size=SIZE,
        labels={"per_class": 2, "validation_per_class": 2},
    )


def test_it_answers_as_timms_own_model_of_what_the_student_sees(
    adopted: Launched, published: Path
) -> None:
    theirs = timm.create_model(
        "test_resnet", pretrained=True, pretrained_cfg_overlay={"file": str(published)}
    ).eval()
    found = restored(adopted.run.path, "last")
    view, index = torch.rand(3, 3, 24, 24), torch.arange(3)

    guide = Teacher(
        Frozen(found.network),
        taps=frozenset({Tap.LOGITS}),
        size=found.settings.size,
        classes=[0, 2],
    )
    (answer,) = guide(Batch(views=(view,), labels=None, index=index, view_ids=(index,)))

    stated: Any = theirs.pretrained_cfg
    mean, std = (torch.tensor(stated[key])[:, None, None] for key in ("mean", "std"))
    seen = F.interpolate(view, (SIZE, SIZE), mode="bilinear", antialias=True)
    with torch.inference_mode():
        expected = theirs((seen - mean) / std)[:, [0, 2]]
    torch.testing.assert_close(answer.logits, expected)
    assert found.classes[:3] == (TENCH, GOLDFISH, SHARK)
    assert len(found.classes) == 1000
    assert adopted.summary["weights"]["left_aside"] == []


def test_it_teaches_the_classes_of_the_data_that_it_knows_by_name(
    go: Launcher, adopted: Launched, images: dict[str, Any], tmp_path: Path
) -> None:
    asked = {"teacher": str(adopted.run.path), "root": tmp_path, "data": images}
    asked["labels"] = {"per_class": 2, "validation_per_class": 2}

    with pytest.raises(DataError, match=r"and 988 more beside them\. Set `teacher_classes=by"):
        go("distill", **asked)
    student = go("distill", **asked, teacher_classes="by_name")

    assert student.summary["network"]["classes"] == [TENCH, SHARK]
    assert student.summary["network"]["size"] == 24
    assert student.summary["labels"]["train"] == 0, "nobody here read a label to train"


def test_a_class_that_it_does_not_know_is_named(
    go: Launcher, adopted: Launched, tmp_path: Path
) -> None:
    for name in (TENCH, "carp"):
        (tmp_path / "fish" / name).mkdir(parents=True)
        for number in range(10):
            Image.effect_noise((24, 24), 50 + number).convert("RGB").save(
                tmp_path / "fish" / name / f"{number}.png"
            )

    with pytest.raises(DataError, match="knows 1000 classes, but not 'carp' of the data"):
        go(
            "distill",
            teacher=str(adopted.run.path),
            teacher_classes="by_name",
            data={"path": str(tmp_path / "fish")},
            labels={"per_class": 2, "validation_per_class": 1},
            root=tmp_path / "runs",
        )


def test_a_number_of_classes_without_names_is_refused(
    go: Launcher, images: dict[str, Any], tmp_path: Path
) -> None:
    file = tmp_path / "five.safetensors"
    save_file(timm.create_model("test_resnet", num_classes=5).state_dict(), file)
    asked: dict[str, Any] = {"data": images, "backbone": TIMM, "weights": str(file)}
    asked |= {"root": tmp_path, "labels": {"per_class": 2, "validation_per_class": 2}}

    with pytest.raises(UsageError, match="no names for the 5 classes of test_resnet"):
        go("adopt", **asked, classes="timm")
    with pytest.raises(UsageError, match=r"5 classes apart.*`classes` names 2"):
        go("adopt", **asked, classes=["a", "b"])
    done = go("adopt", **asked, classes=list("abcde"))

    assert done.summary["network"]["classes"] == list("abcde")
