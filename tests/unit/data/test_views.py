import typing
from collections.abc import Iterable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close
from torchvision.transforms.v2 import functional as oracle

from understudy.core.depth import Depth, white
from understudy.core.errors import UsageError
from understudy.core.identity import canonical
from understudy.core.settings import checked
from understudy.data import views as views_module
from understudy.data.augment import AnyTransform
from understudy.data.augment.color_jitter import ColorJitterSettings
from understudy.data.augment.flip import HorizontalFlipSettings
from understudy.data.augment.gaussian_blur import GaussianBlurSettings
from understudy.data.augment.grayscale import GrayscaleSettings
from understudy.data.augment.pad_and_crop import PadAndCropSettings
from understudy.data.augment.rand_augment import RandAugmentSettings
from understudy.data.augment.random_resized_crop import RandomResizedCropSettings
from understudy.data.augment.solarize import SolarizeSettings
from understudy.data.augment.transform import Size, Statistics, Transform
from understudy.data.views import (
    ViewSettings,
    as_floats,
    as_pixels,
    clean_view,
    make_view,
    parameters,
    view_objections,
)

KINDS: tuple[type[Transform], ...] = typing.get_args(typing.get_args(AnyTransform)[0])
EVERYTHING: tuple[Any, ...] = tuple(kind.model_validate({}) for kind in KINDS)
STEADY = (
    *(one for one in EVERYTHING if one.kind != "rand_augment"),
    RandAugmentSettings(
        among=(
            *("identity", "brightness", "contrast", "color", "sharpness", "rotate"),
            *("shear_x", "shear_y", "translate_x", "translate_y"),
        )
    ),
)
"""Without what jumps between levels: there a rounding may be a level, see its own test."""
SIMCLR = (
    RandomResizedCropSettings(),
    HorizontalFlipSettings(),
    ColorJitterSettings(),
    GrayscaleSettings(),
)
SIZE = Size(16, 16)
STATISTICS = Statistics(mean=(0.5, 0.4, 0.6), std=(0.3, 0.2, 0.25))
COUNT = 300  # more than one chunk of them


def pixels(count: int = COUNT, channels: int = 3, size: Size = SIZE) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (count, channels, *size), dtype=torch.uint8, generator=generator)


def view(of: Tensor, transforms: Iterable[AnyTransform], **changes: Any) -> Tensor:
    index = torch.arange(len(of))
    asked: dict[str, Any] = {"index": index, "view_ids": index % 5, "size": 16, "seed": 1}
    asked["statistics"] = STATISTICS
    return make_view(of, transforms=tuple(transforms), **(asked | changes))


def numbers(drawn: Any) -> list[Tensor]:
    """All tensors in parameters, however deep."""
    if isinstance(drawn, tuple):
        return [number for part in drawn for number in numbers(part)]
    return [drawn] if isinstance(drawn, Tensor) else []


@pytest.mark.parametrize("kind", KINDS)
def test_parameters_of_a_view_are_the_same_in_every_batch(kind: type[Any]) -> None:
    index, view_ids = torch.randperm(COUNT), torch.arange(COUNT) % 7
    sizes: dict[str, Any] = {
        "source": Size(20, 30),
        "target": SIZE,
        "statistics": STATISTICS,
    }

    together = parameters([kind()], index=index, view_ids=view_ids, seed=1, **sizes)

    for length in (1, 7, 128):
        some = slice(5, 5 + length)
        alone = parameters([kind()], index=index[some], view_ids=view_ids[some], seed=1, **sizes)
        for here, there in zip(numbers(alone), numbers(together), strict=True):
            assert torch.equal(here, there[some])


@pytest.mark.parametrize("kind", KINDS)
def test_every_transform_gives_other_views_to_other_ids_images_and_seeds(kind: type[Any]) -> None:
    images = pixels(1).expand(COUNT, -1, -1, -1)
    same = torch.zeros(COUNT, dtype=torch.int64)

    def different(**named: Any) -> int:
        views = view(images, [kind(probability=0.5)], **named)
        return len({bytes(one.numpy().data) for one in views})

    assert different(index=same, view_ids=same) == 1
    assert different(index=torch.arange(COUNT), view_ids=same) > 1
    assert different(index=same, view_ids=torch.arange(COUNT)) > 1
    first, second = (view(images, [kind(probability=0.5)], seed=seed) for seed in (1, 2))
    assert not torch.equal(first, second)


@pytest.mark.parametrize("kind", KINDS)
def test_a_transform_of_no_probability_changes_no_bit(kind: type[Any]) -> None:
    images = pixels()

    assert torch.equal(view(images, [kind(probability=0.0)]), images / 255)


@pytest.mark.parametrize("size", [None, 16, 11, 24])
def test_views_have_the_size_asked_for_and_stay_in_the_range(size: int | None) -> None:
    images = pixels(size=Size(16, 20))

    views = view(images, EVERYTHING * 2, size=size)

    assert views.shape == (COUNT, 3, *((16, 20) if size is None else (size, size)))
    assert views.dtype == torch.float32
    assert views.min() >= 0
    assert views.max() <= 1


def test_pixels_are_equal_bit_for_bit_when_made_again() -> None:
    images = pixels()

    assert torch.equal(view(images, EVERYTHING), view(images, EVERYTHING))


def test_pixels_agree_within_rounding_whatever_the_batch() -> None:
    images, index = pixels(), torch.arange(COUNT)

    together = view(images, STEADY, view_ids=index)

    alone = [
        view(images[n : n + 1], STEADY, index=index[n : n + 1], view_ids=index[n : n + 1])
        for n in range(0, COUNT, 10)
    ]
    assert_close(together[::10], torch.cat(alone), atol=1e-5, rtol=0)


def test_pixels_of_sixteen_bits_are_the_same_view_as_the_same_pixels_of_eight() -> None:
    """257 x 255 is 65,535, so every value of 8 bits has its equal in 16."""
    images = pixels()
    deep = torch.from_numpy(images.numpy().astype("uint16") * 257)

    assert_close(view(deep, STEADY), view(images, STEADY), atol=1e-6, rtol=0)


@pytest.mark.parametrize("channels", [1, 2, 12])
def test_what_has_no_objection_takes_any_number_of_channels(channels: int) -> None:
    able = [one for one in EVERYTHING if one.objection(channels) is None]
    known = Statistics(mean=(0.1,) * channels, std=(0.05,) * channels)

    views = view(pixels(20, channels=channels), able, statistics=known)

    assert views.shape == (20, channels, 16, 16)
    assert {one.kind for one in able} >= {"pair", "shift", "rotate90", "flip", "speckle", "gain"}


@pytest.mark.parametrize("depth", ["uint8", "uint16"])
def test_pixels_survive_the_way_to_floats_and_back(depth: Depth) -> None:
    every = torch.arange(white(depth) + 1).to(getattr(torch, depth)).view(1, 1, -1, 256)

    assert torch.equal(as_pixels(as_floats(every), depth).long(), every.long())


def test_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    images = pixels()
    usual = view(images, STEADY)

    monkeypatch.setattr(views_module, "_CHUNK_BYTES", 1)

    assert_close(view(images, STEADY), usual, atol=1e-5, rtol=0)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_views_on_a_gpu_are_those_of_the_cpu_within_rounding() -> None:
    images = pixels()

    there = view(images.cuda(), STEADY)

    assert there.is_cuda
    assert_close(there.cpu(), view(images, STEADY), atol=1e-4, rtol=0)


def test_making_views_neither_uses_nor_moves_the_global_random_state() -> None:
    state = torch.random.get_rng_state()
    views = view(pixels(), EVERYTHING)

    assert torch.equal(torch.random.get_rng_state(), state)
    torch.rand(1)
    assert torch.equal(view(pixels(), EVERYTHING), views)


def test_pixels_of_the_pack_are_not_written_to() -> None:
    images = pixels()

    view(images, EVERYTHING)

    assert torch.equal(images, pixels())


def test_a_whole_plan_has_the_values_of_torchvision_step_by_step() -> None:
    images, index = pixels(40), torch.arange(40)
    drawn = parameters(SIMCLR, index=index, view_ids=index % 5, source=SIZE, target=SIZE, seed=1)
    crop, flip, jitter, gray = (typing.cast(Any, step) for step in drawn)
    adjustments = (
        oracle.adjust_brightness,
        oracle.adjust_contrast,
        oracle.adjust_saturation,
        oracle.adjust_hue,
    )

    views = view(images, SIMCLR)

    for n in range(40):
        top, left, height, width = (int(edge[n]) for edge in crop[:4])
        expected = oracle.resized_crop(
            images[n] / 255, top, left, height, width, [16, 16], antialias=True
        )
        expected = oracle.horizontal_flip(expected) if flip.horizontal[n] else expected
        for number in jitter.order[n].tolist():
            if number >= 0:
                expected = adjustments[number](expected, float(jitter[1 + number][n]))
        expected = oracle.rgb_to_grayscale(expected, 3) if gray.applied[n] else expected
        assert_close(views[n], expected, atol=2e-5, rtol=0)


def test_a_flip_after_colours_is_still_a_flip() -> None:
    images = pixels()
    always = HorizontalFlipSettings(probability=1.0)

    early = view(images, [RandomResizedCropSettings(), always, ColorJitterSettings()])
    late = view(images, [RandomResizedCropSettings(), ColorJitterSettings(), always])

    assert_close(early, late, atol=1e-5, rtol=0)


def test_leaving_a_transform_out_leaves_the_others_where_they_were() -> None:
    index = torch.arange(COUNT)
    named = {"index": index, "view_ids": index, "source": SIZE, "target": SIZE, "seed": 1}

    whole = parameters(SIMCLR, **named)  # type: ignore[arg-type]
    without = parameters(SIMCLR[:1] + SIMCLR[2:], **named)  # type: ignore[arg-type]

    kept = whole[:1] + whole[2:]
    for here, there in zip(numbers(without), numbers(kept), strict=True):
        assert torch.equal(here, there)


def test_two_transforms_of_a_kind_are_independent() -> None:
    index = torch.arange(COUNT)
    twice = (HorizontalFlipSettings(), HorizontalFlipSettings())

    first, second = parameters(twice, index=index, view_ids=index, source=SIZE, target=SIZE, seed=1)

    both_or_none = (numbers(first)[0] == numbers(second)[0]).double().mean()
    assert abs(both_or_none - 0.5) < 4 * 0.5 / COUNT**0.5


@pytest.mark.parametrize("source", [Size(16, 16), Size(20, 33), Size(50, 31), Size(7, 9)], ids=str)
def test_clean_views_are_resized_and_cut_as_in_torchvision(source: Size) -> None:
    images = pixels(5, size=source)

    views = clean_view(images, size=16)

    resized = oracle.resize(images / 255, [16], antialias=True)
    assert_close(views, oracle.center_crop(resized, [16]), atol=1e-6, rtol=0)


def test_an_empty_plan_gives_the_clean_view() -> None:
    small, large = pixels(), pixels(size=Size(20, 33))

    assert torch.equal(view(small, []), small / 255)
    assert torch.equal(view(large, []), clean_view(large, size=16))
    assert torch.equal(view(large, [], size=None), large / 255)


def test_small_shifts_start_from_the_resized_image() -> None:
    images = pixels(size=Size(32, 48))

    views = view(images, [PadAndCropSettings(padding=0)])

    assert_close(views, clean_view(images, size=16), atol=1e-6, rtol=0)


@pytest.mark.parametrize("channels", [1, 2, 12])
def test_plans_without_colours_serve_any_number_of_channels(channels: int) -> None:
    plan = (
        RandomResizedCropSettings(),
        PadAndCropSettings(),
        HorizontalFlipSettings(),
        ColorJitterSettings(saturation=0, hue=0),
        GaussianBlurSettings(),
        SolarizeSettings(),
    )

    assert view_objections([ViewSettings(transforms=plan)], channels) == []
    assert view(pixels(channels=channels), plan).shape == (COUNT, channels, 16, 16)


def test_plans_that_need_colours_are_objected_to_with_every_place_and_reason() -> None:
    views = [ViewSettings(), ViewSettings(transforms=SIMCLR)]

    first, second = view_objections(views, channels=12)

    assert first.startswith("views[1].transforms[2] (color_jitter) changes saturation and hue")
    assert second.startswith("views[1].transforms[3] (grayscale) needs 3 channels; leave it out")
    assert second.endswith("the images have 12 channels")


def test_plans_are_read_by_kind_and_mistakes_are_named() -> None:
    read = checked(
        ViewSettings, {"transforms": [{"kind": "color_jitter", "hue": 0.2}]}, origin="test"
    )
    with pytest.raises(UsageError) as caught:
        checked(ViewSettings, {"transforms": [{"kind": "colour_jitter"}]}, origin="test")

    assert read.transforms == (ColorJitterSettings(hue=0.2),)
    assert "did you mean 'color_jitter'?" in str(caught.value)


def test_reversed_ranges_are_refused_with_the_right_order() -> None:
    plan = {"transforms": [{"kind": "random_resized_crop", "scale": [1.0, 0.2]}]}

    with pytest.raises(UsageError, match=r"transforms\[0\].scale = .*write \[0.2, 1.0\]"):
        checked(ViewSettings, plan, origin="test")


@pytest.mark.parametrize(
    ("names", "kinds"),
    [
        (["crop"], ["random_resized_crop"]),
        (["flip"], ["horizontal_flip"]),
        (["color"], ["color_jitter", "grayscale"]),
        (["flip", "crop"], ["random_resized_crop", "horizontal_flip"]),
        (["crop", "color"], ["random_resized_crop", "color_jitter", "grayscale"]),
        (
            ["color", "flip", "crop"],
            ["random_resized_crop", "horizontal_flip", "color_jitter", "grayscale"],
        ),
        ([], []),
    ],
)
def test_changes_by_name_are_the_transforms_written_out(names: list[str], kinds: list[str]) -> None:
    named = checked(ViewSettings, {"augment": names}, "here")

    assert [transform.kind for transform in named.transforms] == kinds
    written = checked(ViewSettings, {"transforms": named.model_dump()["transforms"]}, "here")
    assert canonical(named, {}) == canonical(written, {})
    assert checked(ViewSettings, named.model_dump(), "here") == named


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"augment": ["crop", "blur"]}, "crop.*flip.*color"),
        ({"augment": ["crop", "crop"]}, "names a change twice"),
        ({"augment": "crop"}, "augment"),
        (
            {"augment": ["crop"], "transforms": [{"kind": "horizontal_flip"}]},
            "take one of them out",
        ),
    ],
)
def test_changes_that_are_unknown_or_said_twice_are_refused(
    values: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(UsageError, match=sentence):
        checked(ViewSettings, values, "here")
