from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.testing import assert_close

from understudy.core.types import Batch
from understudy.data import stream as stream_module
from understudy.data.augment.color_jitter import ColorJitterSettings
from understudy.data.augment.flip import HorizontalFlipSettings
from understudy.data.augment.random_resized_crop import RandomResizedCropSettings
from understudy.data.stream import (
    Images,
    clean_batches,
    joined,
    stored_stream,
    training_stream,
)
from understudy.data.views import ViewSettings, clean_view

CPU = torch.device("cpu")
IMAGES: NDArray[np.uint8] = np.random.default_rng(0).integers(0, 256, (60, 3, 8, 8), dtype=np.uint8)
INDICES: NDArray[np.int64] = np.arange(5, 55, 2)  # 25 of them
LABELS: NDArray[np.int64] = np.arange(60) % 10
PLAN = (RandomResizedCropSettings(), HorizontalFlipSettings(), ColorJitterSettings())
TWO_VIEWS = (ViewSettings(transforms=PLAN), ViewSettings(transforms=PLAN))


def stream(images: Images = IMAGES, **changes: Any) -> Iterator[Batch]:
    settings: dict[str, Any] = {
        "indices": INDICES,
        "labels": LABELS,
        "views": TWO_VIEWS,
        "size": 8,
        "batch_size": 10,
        "seed_order": 1,
        "seed_views": 2,
        "ring": None,
        "device": CPU,
        "start": 0,
        "channels_last": False,
    }
    return training_stream(images, **(settings | changes))


def batches(count: int, images: NDArray[np.uint8] | Tensor = IMAGES, **changes: Any) -> list[Batch]:
    return list(islice(stream(images, **changes), count))


def assert_equal(here: Batch, there: Batch) -> None:
    assert here.labels is not None
    assert there.labels is not None
    for one, other in zip(
        (*here.views, here.labels, here.index, *here.view_ids),
        (*there.views, there.labels, there.index, *there.view_ids),
        strict=True,
    ):
        assert torch.equal(one, other)


def test_a_step_is_the_same_bit_for_bit_wherever_the_stream_began() -> None:
    walked = batches(8)

    for step in (1, 3, 7):
        assert_equal(batches(1, start=step)[0], walked[step])


def test_other_batch_sizes_hold_the_same_views_in_the_same_order() -> None:
    small, large = batches(30, batch_size=5), batches(2, batch_size=75)

    for view in (0, 1):
        of_small, of_large = (
            {
                "index": torch.cat([batch.index for batch in them]),
                "view_ids": torch.cat([batch.view_ids[view] for batch in them]),
                "pixels": torch.cat([batch.views[view] for batch in them]),
            }
            for them in (small, large)
        )
        assert torch.equal(of_small["index"], of_large["index"])
        assert torch.equal(of_small["view_ids"], of_large["view_ids"])
        assert_close(of_small["pixels"], of_large["pixels"], atol=1e-5, rtol=0)


def test_every_epoch_shows_every_image_once_and_no_other() -> None:
    seen = torch.cat([batch.index for batch in batches(25)])

    for epoch in seen.view(10, 25):
        assert sorted(epoch.tolist()) == INDICES.tolist()


def test_batches_larger_than_the_set_show_different_views_of_an_image() -> None:
    batch = batches(1, indices=INDICES[:3], batch_size=9)[0]

    assert batch.index.shape == (9,)
    first = batch.views[0][batch.index == INDICES[0]]
    assert len(first) == 3
    assert not any(torch.equal(first[n], first[n - 1]) for n in range(3))


def test_labels_belong_to_the_images_and_are_none_where_none_may_be_read() -> None:
    with_labels, without = batches(1)[0], batches(1, labels=None)[0]

    assert with_labels.labels is not None
    assert with_labels.labels.tolist() == LABELS[with_labels.index.numpy()].tolist()
    assert without.labels is None
    assert torch.equal(without.views[0], with_labels.views[0])


def test_pixels_belong_to_the_images() -> None:
    batch = batches(1, views=(ViewSettings(),))[0]

    assert_close(batch.views[0], torch.from_numpy(IMAGES[batch.index.numpy()]) / 255)


def test_two_views_of_an_image_differ_and_are_named_so() -> None:
    first, second = batches(1)[0].views
    ids = torch.stack([torch.stack(batch.view_ids) for batch in batches(25)])  # [steps, V, B]

    assert not any(torch.equal(one, other) for one, other in zip(first, second, strict=True))
    epochs = torch.arange(250) // 25
    assert torch.equal(ids[:, 0].flatten(), 2 * epochs)
    assert torch.equal(ids[:, 1].flatten(), 2 * epochs + 1)


def test_a_ring_brings_the_same_views_again() -> None:
    """Four views are two epochs of two views each."""
    shown = batches(25, ring=4, batch_size=10)
    images = torch.cat([batch.index for batch in shown]).view(10, 25)
    views = torch.cat([batch.views[0] for batch in shown]).view(10, 25, -1)
    in_order = [epoch[order.argsort()] for epoch, order in zip(views, images, strict=True)]

    assert max(int(ids.max()) for batch in shown for ids in batch.view_ids) == 3
    assert_close(in_order[0], in_order[2], atol=1e-5, rtol=0)
    assert not torch.allclose(in_order[0], in_order[1])


def test_seeds_of_order_and_of_views_are_apart() -> None:
    usual = batches(1)[0]

    other_views, other_order = batches(1, seed_views=3)[0], batches(1, seed_order=3)[0]

    assert torch.equal(other_views.index, usual.index)
    assert not torch.equal(other_views.views[0], usual.views[0])
    assert not torch.equal(other_order.index, usual.index)


def test_packs_arrays_and_tensors_give_the_same_batches(tmp_path: Path) -> None:
    np.save(tmp_path / "images.npy", IMAGES)
    mapped = np.load(tmp_path / "images.npy", mmap_mode="r")

    for usual, from_map, from_tensor in zip(
        batches(4), batches(4, mapped), batches(4, torch.from_numpy(IMAGES)), strict=True
    ):
        assert_equal(from_map, usual)
        assert_equal(from_tensor, usual)


def test_sets_too_large_for_memory_give_the_same_batches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    np.save(tmp_path / "images.npy", IMAGES)
    mapped = np.load(tmp_path / "images.npy", mmap_mode="r")
    usual = batches(4)

    monkeypatch.setattr(stream_module, "_RESIDENT_BYTES", 0)

    for images in (mapped, torch.from_numpy(IMAGES)):
        for here, there in zip(batches(4, images), usual, strict=True):
            assert_equal(here, there)


def test_views_come_in_the_memory_format_asked_for() -> None:
    last, first = batches(1, channels_last=True)[0], batches(1)[0]

    assert last.views[0].is_contiguous(memory_format=torch.channels_last)
    assert first.views[0].is_contiguous()
    assert torch.equal(last.views[0], first.views[0])


def test_views_may_have_another_size_and_other_channels() -> None:
    batch = batches(1, IMAGES[:, :1], size=5, views=(ViewSettings(transforms=PLAN[:2]),))[0]

    assert batch.views[0].shape == (10, 1, 5, 5)


def test_clean_batches_show_each_image_once_in_order() -> None:
    pairs = list(clean_batches(IMAGES, indices=INDICES, batch_size=10, size=6, device=CPU))

    assert [len(index) for _, index in pairs] == [10, 10, 5]
    assert torch.equal(torch.cat([index for _, index in pairs]), torch.from_numpy(INDICES))
    expected = clean_view(torch.from_numpy(IMAGES[INDICES]), size=6)
    assert torch.equal(torch.cat([images for images, _ in pairs]), expected)


def test_images_of_sixteen_bits_keep_every_bit_on_the_way() -> None:
    deep = np.arange(6 * 2 * 8 * 8, dtype=np.uint16).reshape(6, 2, 8, 8) * 85  # up to 65,195
    wanted = deep.astype(np.float32) / np.float32(65_535)

    for images in (deep, torch.from_numpy(deep)):
        pairs = list(clean_batches(images, indices=np.arange(6), batch_size=4, size=8, device=CPU))
        assert torch.equal(torch.cat([batch for batch, _ in pairs]), torch.from_numpy(wanted))
    (batch, *_) = islice(
        stream(deep, indices=np.arange(6), labels=None, views=[ViewSettings()], batch_size=6), 1
    )
    assert torch.equal(batch.views[0], torch.from_numpy(wanted[batch.index.numpy()]))


def test_clean_batches_of_no_images_are_none() -> None:
    assert not list(clean_batches(IMAGES, indices=INDICES[:0], batch_size=4, size=8, device=CPU))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_batches_come_on_the_device_asked_for() -> None:
    batch = batches(1, device=torch.device("cuda"))[0]

    assert all(part.is_cuda for part in (*batch.views, batch.index, *batch.view_ids))
    assert_close(batch.views[0].cpu(), batches(1)[0].views[0], atol=1e-4, rtol=0)


def test_a_view_may_have_a_size_of_its_own_and_leaves_the_others_as_they_are() -> None:
    """A small crop shows what the same crop at the usual size shows, with fewer pixels."""
    plan = (RandomResizedCropSettings(scale=(0.2, 0.5)),)
    whole, small = ViewSettings(transforms=PLAN), ViewSettings(transforms=plan, size=4)

    (mixed,) = batches(1, views=(whole, whole, small))
    (usual,) = batches(1, views=(whole, whole, ViewSettings(transforms=plan)))

    assert [view.shape[2:] for view in mixed.views] == [(8, 8), (8, 8), (4, 4)]
    assert all(map(torch.equal, mixed.views[:2], usual.views[:2]))
    assert_close(
        mixed.views[2].mean(dim=(2, 3)), usual.views[2].mean(dim=(2, 3)), atol=0.06, rtol=0
    )


def test_a_view_without_transforms_of_a_size_of_its_own_is_the_clean_image_at_it() -> None:
    (found,) = batches(1, views=(ViewSettings(size=4),))

    assert_close(found.views[0], clean_view(torch.from_numpy(IMAGES[found.index]), size=4))


def test_several_streams_are_one_batch_in_which_labels_that_nobody_knows_are_none() -> None:
    ids = torch.zeros(2, dtype=torch.int64)

    def made(first: int, labels: torch.Tensor | None) -> Iterator[Batch]:
        for step in range(2):
            views = torch.full((2, 1, 2, 2), float(first + step))
            yield Batch((views, -views), labels, torch.tensor([first, first + 1]), (ids, ids + 1))

    own, others = made(0, torch.tensor([3, 4])), made(10, None)
    batch = next(joined([own, others]))

    assert batch.labels is not None
    assert batch.labels.tolist() == [3, 4, -1, -1]
    assert batch.index.tolist() == [0, 1, 10, 11]
    assert [view[:, 0, 0, 0].tolist() for view in batch.views] == [[0, 0, 10, 10], [0, 0, -10, -10]]
    assert [ids.tolist() for ids in batch.view_ids] == [[0] * 4, [1] * 4]


@pytest.mark.parametrize("ring", [1, 3])
def test_stored_values_come_in_the_order_of_the_images_that_they_are_of(ring: int) -> None:
    """Element by element as the training stream with the same ring shows them."""
    images = torch.randint(0, 256, (9, 1, 4, 4), dtype=torch.uint8).numpy()
    indices, labels = np.array([8, 1, 5, 2, 7]), np.arange(9)
    views = [ViewSettings(), ViewSettings()] if ring != 3 else [ViewSettings()]
    values = torch.stack(
        [torch.tensor([100.0 * index + view for view in range(ring)]) for index in indices]
    )[..., None]
    common: dict[str, Any] = {
        "indices": indices,
        "labels": labels,
        "batch_size": 4,
        "seed_order": 7,
        "start": 2,
    }

    shown = training_stream(
        images,
        views=views,
        size=4,
        seed_views=1,
        ring=ring,
        device=torch.device("cpu"),
        channels_last=False,
        **common,
    )
    stored = stored_stream(values, views=len(views), **common)

    for _ in range(5):
        one, other = next(shown), next(stored)
        assert one.index.tolist() == other.index.tolist()
        assert one.labels is not None and other.labels is not None
        assert one.labels.tolist() == other.labels.tolist()
        for ids, view, mine in zip(one.view_ids, other.views, other.view_ids, strict=True):
            assert ids.tolist() == mine.tolist()
            assert view[:, 0].tolist() == (100 * one.index + ids).tolist()
