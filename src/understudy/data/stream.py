"""Batches from a pack: endless ones for training, and clean ones for everything else."""

from collections.abc import Callable, Iterator, Sequence
from itertools import count, repeat

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from understudy.core.depth import Pixels
from understudy.core.types import Batch
from understudy.data.augment.transform import Statistics
from understudy.data.order import Order
from understudy.data.views import ViewSettings, clean_view, make_view

Images = Pixels | Tensor
"""[N, C, H, W], of 8 or 16 bits: the memory-mapped images of a pack, or images in memory."""

_RESIDENT_BYTES = 2 << 30  # 2 GiB: 13 times CIFAR-10, and a quarter of the least 8 GiB we expect


def training_stream(
    images: Images,
    *,
    indices: NDArray[np.int64],
    labels: NDArray[np.int64] | None,
    views: Sequence[ViewSettings],
    size: int,
    batch_size: int,
    seed_order: int,
    seed_views: int,
    ring: int | None,
    device: torch.device,
    start: int,
    channels_last: bool,
    statistics: Statistics | None = None,
) -> Iterator[Batch]:
    """Endless batches from step `start` on; each is a pure function of the seeds and its step.

    View v of V in an image's epoch e has the id e x V + v, modulo `ring`.

    Args:
        images: All images of the pack.
        indices: [n], which of them to train on.
        labels: [N], of all images of the pack, or None where none may be read.
        views: How each of the V views is made.
        size: Height and width of the views that have none of their own.
        batch_size: B; may exceed n, and then a batch holds an image several times.
        seed_order: Decides in which order images come.
        seed_views: Decides what the views look like.
        ring: How many different views of each image there are, or None for endless ones.
        device: Where the batches are wanted.
        start: The first step.
        channels_last: Memory format of the views.
        statistics: Of the channels, where a transform counts in deviations of them.

    Yields:
        Batches on the device.
    """
    order = Order(count=len(indices), batch_size=batch_size, seed=seed_order)
    read = _reader(images, indices=indices, device=device)
    memory_format = torch.channels_last if channels_last else torch.contiguous_format

    def made(view: ViewSettings, pixels: Tensor, index: Tensor, view_ids: Tensor) -> Tensor:
        image = make_view(
            pixels,
            index=index,
            view_ids=view_ids,
            transforms=view.transforms,
            size=view.size or size,
            seed=seed_views,
            statistics=statistics,
        )
        return image.contiguous(memory_format=memory_format)

    for step in count(start):
        ranks, epochs = order.at(step)
        pixels, chosen = read(ranks), indices[ranks]
        index = torch.from_numpy(chosen)
        view_ids = _view_ids(epochs, views=len(views), ring=ring)
        yield Batch(
            views=tuple(map(made, views, repeat(pixels), repeat(index), view_ids)),
            labels=None if labels is None else _sent(torch.from_numpy(labels[chosen]), device),
            index=_sent(index, device),
            view_ids=tuple(_sent(ids, device) for ids in view_ids),
        )


def stored_stream(
    values: Tensor,
    *,
    indices: NDArray[np.int64],
    labels: NDArray[np.int64] | None,
    views: int,
    batch_size: int,
    seed_order: int,
    start: int,
) -> Iterator[Batch]:
    """As `training_stream` with a ring, where what was made of each view is shown in its place.

    Args:
        values: [n, V, D], of all views of the ring.
        indices: [n], which images of the pack they are of.
        labels: As there.
        views: How many are shown of each image in a step.
        batch_size: As there.
        seed_order: As there.
        start: The first step.

    Yields:
        Batches whose views are [B, D], on the device of the values.
    """
    order = Order(count=len(indices), batch_size=batch_size, seed=seed_order)
    device = values.device
    for step in count(start):
        ranks, epochs = order.at(step)
        rows, chosen = _sent(torch.from_numpy(ranks), device), indices[ranks]
        view_ids = [
            _sent(ids, device) for ids in _view_ids(epochs, views=views, ring=values.shape[1])
        ]
        yield Batch(
            views=tuple(values[rows, ids] for ids in view_ids),
            labels=None if labels is None else _sent(torch.from_numpy(labels[chosen]), device),
            index=_sent(torch.from_numpy(chosen), device),
            view_ids=tuple(view_ids),
        )


def joined(streams: Sequence[Iterator[Batch]]) -> Iterator[Batch]:
    """Each step the images of several streams as one batch, those of the first stream first.

    Args:
        streams: Of equally many views of one size; labels are -1 where a stream has none.
    """
    while True:
        batches = [next(stream) for stream in streams]
        yield Batch(
            views=tuple(
                torch.cat(views) for views in zip(*(each.views for each in batches), strict=True)
            ),
            labels=torch.cat(
                [
                    torch.full_like(each.index, -1) if each.labels is None else each.labels
                    for each in batches
                ]
            ),
            index=torch.cat([each.index for each in batches]),
            view_ids=tuple(
                torch.cat(ids) for ids in zip(*(each.view_ids for each in batches), strict=True)
            ),
        )


def clean_batches(
    images: Images,
    *,
    indices: NDArray[np.int64],
    batch_size: int,
    size: int,
    device: torch.device,
) -> Iterator[tuple[Tensor, Tensor]]:
    """Each image once, in the order given, as evaluation sees it.

    Args:
        images: All images of the pack.
        indices: [n], which of them.
        batch_size: B; the last batch holds what is left.
        size: Height and width wanted.
        device: Where the batches are wanted.

    Yields:
        Images [B, C, size, size], float32 in [0, 1], and which they are, [B], int64.
    """
    for first in range(0, len(indices), batch_size):
        index = indices[first : first + batch_size].copy()  # nobody's view of the caller's array
        pixels = _taken(images, index).to(device, non_blocking=True)
        yield clean_view(pixels, size=size), _sent(torch.from_numpy(index), device)


def view_batches(
    images: Images,
    *,
    indices: NDArray[np.int64],
    batch_size: int,
    view: ViewSettings,
    view_id: int,
    size: int,
    seed: int,
    device: torch.device,
    statistics: Statistics | None = None,
) -> Iterator[tuple[Tensor, Tensor]]:
    """One view of each image once, in the order given, as a training with this seed makes it.

    Args:
        images: All images of the pack.
        indices: [n], which of them.
        batch_size: B; the last batch holds what is left.
        view: How it is made.
        view_id: Which of the image's endless views it is.
        size: Height and width of the view, where it has none of its own.
        seed: Of the views.
        device: Where the batches are wanted.
        statistics: Of the channels, where a transform counts in deviations of them.

    Yields:
        Images [B, C, size, size], float32 in [0, 1], and which they are, [B], int64.
    """
    for first in range(0, len(indices), batch_size):
        chosen = indices[first : first + batch_size]
        index = torch.from_numpy(chosen.copy())
        made = make_view(
            _taken(images, chosen).to(device, non_blocking=True),
            index=index,
            view_ids=torch.full_like(index, view_id),
            transforms=view.transforms,
            size=view.size or size,
            seed=seed,
            statistics=statistics,
        )
        yield made, _sent(index, device)


def _reader(
    images: Images, *, indices: NDArray[np.int64], device: torch.device
) -> Callable[[NDArray[np.int64]], Tensor]:
    """A function from ranks [B] among `indices` to pixels [B, C, H, W] on the device.

    A set that is small enough is copied to the device once; a larger one is read from the pack
    batch by batch.
    """
    image_bytes = images[0].nbytes
    if len(indices) * image_bytes > _RESIDENT_BYTES:
        return lambda ranks: _taken(images, indices[ranks]).to(device, non_blocking=True)

    resident = _taken(images, indices).to(device)
    return lambda ranks: _selected(resident, _sent(torch.from_numpy(ranks), device))


def _taken(images: Images, index: NDArray[np.int64]) -> Tensor:
    """The images of an index as a tensor of its own, where the images are."""
    if isinstance(images, Tensor):
        return _selected(images, _sent(torch.from_numpy(index), images.device))
    return torch.from_numpy(np.take(images, index, axis=0))


def _selected(images: Tensor, index: Tensor) -> Tensor:
    """Some of the images; torch promises little for uint16, so the same bits go as int16."""
    if images.dtype != torch.uint16:
        return images.index_select(0, index)
    return images.view(torch.int16).index_select(0, index).view(torch.uint16)


def _view_ids(epochs: NDArray[np.int64], *, views: int, ring: int | None) -> list[Tensor]:
    """For each view [B]: which of its image's views it is."""
    ids = [epochs * views + view for view in range(views)]
    return [torch.from_numpy(each if ring is None else each % ring) for each in ids]


def _sent(numbers: Tensor, device: torch.device) -> Tensor:
    return numbers.to(device, non_blocking=True)
