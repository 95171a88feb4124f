"""Weights of others, imported: the network answers as the original does, whatever the layout."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from tests import layouts
from tests.traps import pickled_trap
from torch import Tensor

import understudy
from understudy.core.errors import DataError, UnderstudyError, UsageError
from understudy.core.types import Tap
from understudy.stages.launch import Launched
from understudy.stages.restore import restored

Launcher = Callable[..., Launched]
MEAN = torch.tensor([0.485, 0.456, 0.406])[:, None, None]
STD = torch.tensor([0.229, 0.224, 0.225])[:, None, None]
SMALL = {"labels": {"per_class": 2, "validation_per_class": 1}, "size": 32}


def pictures(folder: Path, *, mode: str) -> Path:
    for place, colour in enumerate(("red", "green")):
        (folder / colour).mkdir(parents=True)
        for number in range(16):
            tint = Image.new("RGB", (20, 20), (90 * place, 12 * number, 180 - 90 * place))
            noise = Image.effect_noise((20, 20), 30 + number).convert("RGB")
            Image.blend(noise, tint, 0.6).convert(mode).save(folder / colour / f"{number}.png")
    return folder


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return pictures(tmp_path_factory.mktemp("photos"), mode="RGB")


def saved(content: Any, place: Path, name: str = "weights.pth", **options: Any) -> Path:
    path = place / name
    torch.save(content, path, **options)
    return path


def brought(file: Path, photos: Path, place: Path, **settings: Any) -> understudy.StageResult:
    return understudy.import_weights(
        file, runs=place / "runs", **{"data": str(photos), **SMALL, **settings}
    )


def answers(run: Path, images: Tensor, tap: Tap = Tap.POOLED) -> Tensor:
    network = restored(run, "last").network.eval()
    with torch.inference_mode():
        found = network(images, frozenset({tap}))
    values: Tensor | None = found.pooled if tap is Tap.POOLED else found.projected
    assert values is not None
    return values


@pytest.mark.parametrize("layout", list(layouts.LAYOUTS))
def test_the_imported_network_answers_as_the_original(
    layout: str, photos: Path, tmp_path: Path
) -> None:
    original = layouts.network()
    file = saved(layouts.LAYOUTS[layout](original), tmp_path)
    images = torch.rand(3, 3, 64, 64)

    done = brought(file, photos, tmp_path)

    expected = layouts.features(original, (images - MEAN) / STD)
    torch.testing.assert_close(answers(done.path, images), expected)
    assert done.summary["weights"]["left_aside"] == []


def test_what_torch_wrote_before_zip_archives_is_read(photos: Path, tmp_path: Path) -> None:
    """The published files of MoCo are of that age."""
    original = layouts.network()
    file = saved(layouts.moco(original), tmp_path, _use_new_zipfile_serialization=False)
    images = torch.rand(2, 3, 32, 32)

    done = brought(file, photos, tmp_path)

    expected = layouts.features(original, (images - MEAN) / STD)
    torch.testing.assert_close(answers(done.path, images), expected)


def test_safetensors_are_imported_to_the_same_run(photos: Path, tmp_path: Path) -> None:
    """Equal but for the file that it is from, which its notes name."""
    tensors = layouts.moco(layouts.network())["state_dict"]
    pickled, plain = saved(tensors, tmp_path), tmp_path / "weights.safetensors"
    save_file(tensors, plain)

    runs = [brought(file, photos, tmp_path) for file in (pickled, plain)]

    first, second = (load_file(run.path / "checkpoints/last/model.safetensors") for run in runs)
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_the_head_of_moco_becomes_the_projector_where_it_is_asked_for(
    photos: Path, tmp_path: Path
) -> None:
    original, head = layouts.network(), layouts.moco_head()
    file = saved(layouts.moco(original, head=head), tmp_path)
    images = torch.rand(2, 3, 64, 64)

    done = brought(file, photos, tmp_path, projector=True)

    with torch.inference_mode():
        expected = head(layouts.features(original, (images - MEAN) / STD))
    torch.testing.assert_close(answers(done.path, images, Tap.PROJECTED), expected)
    assert done.summary["network"]["projector"]["hidden"] == 512
    assert done.summary["weights"]["left_aside"] == []


def test_the_run_says_where_its_weights_are_from_and_what_was_left(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = saved(layouts.moco(layouts.network(), keys=True), tmp_path, "moco v2.pth.tar")

    done = brought(file, photos, tmp_path)

    told = capsys.readouterr().err
    assert "takes a ResNet-18 at `state_dict.module.encoder_q`, 120 tensors" in told
    left = "fc (4), encoder_k (124), queue (1), queue_ptr (1), optimizer (1)"
    assert f"leaves aside {left}" in told
    assert done.path.name.startswith("moco-v2-")
    assert done.summary["weights"]["imported"]["left"] == left
    assert done.summary["weights"]["imported"]["network"] == "state_dict.module.encoder_q"
    assert done.summary["weights"]["mean"] == pytest.approx([0.485, 0.456, 0.406])
    assert done.summary["steps"] == 0


def test_the_copy_is_taken_where_it_is_asked_for(photos: Path, tmp_path: Path) -> None:
    file = saved(layouts.solo_learn(layouts.network()), tmp_path)
    images = torch.rand(2, 3, 64, 64)

    done = brought(file, photos, tmp_path, network="momentum_backbone")

    expected = layouts.features(layouts.network(seed=99), (images - MEAN) / STD)
    torch.testing.assert_close(answers(done.path, images), expected)


def test_its_size_and_statistics_are_those_of_the_public_networks_unless_others_are_named(
    photos: Path, tmp_path: Path
) -> None:
    file = saved(layouts.torchvision(layouts.network()), tmp_path)
    few: dict[str, Any] = {"data": str(photos), "labels": SMALL["labels"]}

    usual = understudy.import_weights(file, runs=tmp_path, **few)
    own = understudy.import_weights(
        file, runs=tmp_path, **few, size=32, mean=[0.5] * 3, std=[0.25] * 3
    )

    assert usual.summary["network"]["size"] == 224
    assert own.summary["network"]["size"] == 32
    assert own.summary["weights"]["std"] == [0.25] * 3


def test_a_stem_for_small_images_is_seen_by_its_convolution(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    original = layouts.network()
    original.conv1 = torch.nn.Conv2d(3, 64, 3, padding=1, bias=False)
    original.maxpool = torch.nn.Identity()
    file = saved(layouts.solo_learn(original), tmp_path)
    images = torch.rand(2, 3, 32, 32)

    done = brought(file, photos, tmp_path)

    expected = layouts.features(original, (images - MEAN) / STD)
    torch.testing.assert_close(answers(done.path, images), expected)
    assert "the file does not say" in capsys.readouterr().err


def test_images_of_one_channel_are_seen_through_summed_weights(tmp_path: Path) -> None:
    """A grey image in three channels is the oracle, with one mean for all."""
    original = layouts.network()
    file = saved(layouts.torchvision(original), tmp_path)
    grey = torch.rand(2, 1, 64, 64)
    photos = pictures(tmp_path / "grey", mode="L")
    own = {"data": {"path": str(photos), "channels": "grey"}, "mean": [0.4], "std": [0.2]}

    done = brought(file, photos, tmp_path, **own)

    expected = layouts.features(original, (grey.expand(-1, 3, -1, -1) - 0.4) / 0.2)
    torch.testing.assert_close(answers(done.path, grey), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_the_run_starts_a_finetuning_and_is_probed(
    go: Launcher, photos: Path, tmp_path: Path
) -> None:
    file = saved(layouts.moco(layouts.network()), tmp_path)
    plan = {"steps": 2, "batch_size": 4, "observations": 1}

    done = brought(file, photos, tmp_path)
    settings = {"root": tmp_path, "labels": SMALL["labels"], "plan": plan}
    tuned = go("finetune", start=str(done.path), frozen=True, **settings)
    evaluation = go("evaluate", root=tmp_path, models=[str(done.path), str(tuned.run.path)])

    before = load_file(done.path / "checkpoints/last/model.safetensors")
    after = load_file(tuned.run.path / "checkpoints/last/model.safetensors")
    kept = [name for name in before if name.startswith("backbone.")]
    assert len(kept) == 120
    assert all(torch.equal(before[name], after[name]) for name in kept)
    assert evaluation.summary["probes"][0]["linear_top1"] is not None


def test_a_second_import_finds_the_run_and_so_does_one_of_a_moved_file(
    photos: Path, tmp_path: Path
) -> None:
    file = saved(layouts.moco(layouts.network()), tmp_path)
    first = brought(file, photos, tmp_path)
    moved = file.rename(tmp_path / "moved.pth")

    again = brought(moved, photos, tmp_path)

    assert not first.was_skipped
    assert again.was_skipped
    assert again.path == first.path


def refused(
    kind: type[UnderstudyError], content: bytes | Any, place: Path, photos: Path, **settings: Any
) -> str:
    file = place / "weights.pth"
    if isinstance(content, bytes):
        file.write_bytes(content)
    else:
        torch.save(content, file)
    with pytest.raises(kind) as caught:
        brought(file, photos, place, **settings)
    assert not (place / "runs" / "adopt").exists()
    assert str(file) in str(caught.value)
    return str(caught.value)


def test_a_pickle_that_is_more_than_weights_is_refused_and_runs_nothing(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")
    trap = pickled_trap(tmp_path / "sprung")

    told = refused(DataError, trap, tmp_path, photos)

    assert not (tmp_path / "sprung").exists()
    assert "can run code" in told
    assert "safetensors" in told


def test_a_whole_model_is_refused_by_the_name_of_its_class(photos: Path, tmp_path: Path) -> None:
    told = refused(DataError, layouts.network(), tmp_path, photos)

    assert "asks for torchvision.models.resnet.ResNet" in told
    assert "state_dict()" in told


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("share", [0.001, 0.5, 0.99])
def test_a_download_that_was_cut_short_says_so(
    zipped: bool, share: float, photos: Path, tmp_path: Path
) -> None:
    whole = saved(
        layouts.moco(layouts.network()), tmp_path, _use_new_zipfile_serialization=zipped
    ).read_bytes()

    told = refused(DataError, whole[: int(len(whole) * share)], tmp_path, photos)

    assert "ends too early" in told
    assert "Fetch it again" in told


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"\n <!DOCTYPE html><html>404</html>", "a web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid", "git lfs pull"),
        (b"\x1f\x8b\x08 packed", "gzip"),
        (b"just some words", "nothing that torch wrote"),
    ],
)
def test_what_is_no_file_of_weights_is_named(
    content: bytes, words: str, photos: Path, tmp_path: Path
) -> None:
    told = refused(DataError, content, tmp_path, photos)

    assert words in told
    assert "weights_only" not in told  # torch's advice is to do without the guard


def test_a_stopped_download_of_safetensors_is_no_pickle(photos: Path, tmp_path: Path) -> None:
    file = tmp_path / "weights.safetensors"
    save_file(layouts.bare(layouts.network()), file)
    file.write_bytes(file.read_bytes()[:1000])

    with pytest.raises(UnderstudyError, match="not a safetensors file"):
        brought(file, photos, tmp_path)


def test_a_vision_transformer_is_refused_with_its_names(photos: Path, tmp_path: Path) -> None:
    vit = {"cls_token": torch.zeros(1, 1, 8), "blocks.0.attn.qkv.weight": torch.zeros(24, 8)}

    told = refused(DataError, {"model": vit}, tmp_path, photos)

    assert "holds no ResNet" in told
    assert "2 tensors begin with model.cls_token, model.blocks.0.attn.qkv.weight" in told
    assert "understudy adopt backbone.kind=timm" in told


def test_missing_and_strange_tensors_and_shapes_are_named(photos: Path, tmp_path: Path) -> None:
    tensors = layouts.bare(layouts.network())
    del tensors["layer2.1.bn1.weight"]
    tensors["layer1.0.se.weight"] = torch.zeros(5)
    tensors["layer4.0.conv1.weight"] = torch.zeros(7, 256, 3, 3)

    told = refused(UsageError, tensors, tmp_path, photos)

    assert "3 mistakes" in told
    assert "layer2.1.bn1.weight  missing" in told
    assert "layer1.0.se.weight  unknown" in told
    assert "layer4.0.conv1.weight  is 7 x 256 x 3 x 3 in the file" in told


def test_many_mistakes_are_counted_and_the_first_are_named(photos: Path, tmp_path: Path) -> None:
    wide = {name: torch.zeros(3, 3, 3, 3) for name in layouts.bare(layouts.network())}

    told = refused(UsageError, wide, tmp_path, photos)

    assert "120 mistakes" in told
    assert len(told.splitlines()) == 23
    assert "and 100 more" in told


def test_a_resnet_of_another_depth_is_refused_with_its_blocks(photos: Path, tmp_path: Path) -> None:
    """BYOL's ResNet-200, say."""
    tensors = layouts.bare(layouts.network())
    tensors |= {f"layer3.{n}.bn1.weight": torch.zeros(256) for n in range(9)}

    told = refused(DataError, tensors, tmp_path, photos)

    assert "2, 2, 9, 2 blocks of 2 convolutions" in told
    assert "ResNet-50" in told


def test_several_networks_are_not_chosen_between(photos: Path, tmp_path: Path) -> None:
    """As in DINO's files, where a student and a teacher lie side by side."""
    both = {
        "student": layouts.under("module.backbone.", layouts.bare(layouts.network())),
        "teacher": layouts.under("backbone.", layouts.bare(layouts.network(seed=5))),
    }

    told = refused(UsageError, both, tmp_path, photos)
    other = refused(UsageError, both, tmp_path, photos, network="target")

    assert "several ResNets, at `student.module.backbone`, `teacher.backbone`" in told
    assert "no ResNet at 'target'" in other


def test_a_head_that_is_not_mocos_is_no_projector(photos: Path, tmp_path: Path) -> None:
    tensors = layouts.torchvision(layouts.network())

    told = refused(UsageError, tensors, tmp_path, photos, projector=True)

    assert "no head of two linear layers" in told
    assert "its head: fc.weight, fc.bias" in told


def test_weights_that_are_not_finite_are_refused(photos: Path, tmp_path: Path) -> None:
    tensors = layouts.bare(layouts.network())
    tensors["layer1.0.conv1.weight"][0, 0, 0, 0] = float("nan")

    assert "not finite" in refused(DataError, tensors, tmp_path, photos)


def test_a_tensor_larger_than_its_file_is_no_weight(photos: Path, tmp_path: Path) -> None:
    """A stride of 0 makes terabytes of one number."""
    tensors = layouts.bare(layouts.network())
    tensors["conv1.weight"] = torch.zeros(1).expand(1 << 20, 1 << 20)

    assert "larger than the file" in refused(DataError, tensors, tmp_path, photos)


def test_containers_that_hold_themselves_end(photos: Path, tmp_path: Path) -> None:
    round_: dict[str, Any] = {"a": torch.zeros(1)}
    round_["self"] = round_
    deep: Any = torch.zeros(1)
    for _ in range(50):
        deep = [deep]

    assert "1 tensors" in refused(DataError, round_, tmp_path, photos)
    assert "no tensor at all" in refused(DataError, {"deep": deep}, tmp_path, photos)


def test_what_cannot_be_is_refused_before_the_file_is_read(photos: Path, tmp_path: Path) -> None:
    file = tmp_path / "nothing.pth"
    with pytest.raises(UsageError, match="no such file"):
        brought(file, photos, tmp_path)
    with pytest.raises(UsageError, match="is a folder"):
        brought(tmp_path, photos, tmp_path)
    file.write_bytes(b"never read")
    with pytest.raises(UsageError, match="backbone: is read from the file"):
        brought(file, photos, tmp_path, backbone={"kind": "timm", "name": "resnet50"})
    with pytest.raises(UsageError, match="did you mean 'size'"):
        brought(file, photos, tmp_path, sice=3)
    with pytest.raises(UsageError, match=r"data\.path"):
        brought(file, tmp_path / "absent", tmp_path)
