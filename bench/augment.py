"""Augmentation: images a second on one core, beside torchvision one image at a time.

Run with `python -m bench.augment`. Both sides take uint8 images of 32x32 and give float batches.
Time is the processor's own, so that other work on the machine counts as little as possible.
"""

from collections.abc import Callable, Iterator, Sequence
from time import process_time

import torch
from torch import Tensor
from torchvision.transforms import v2

from bench.table import Table, shown
from understudy.data.augment import AnyTransform
from understudy.data.augment.color_jitter import ColorJitterSettings
from understudy.data.augment.flip import HorizontalFlipSettings
from understudy.data.augment.grayscale import GrayscaleSettings
from understudy.data.augment.pad_and_crop import PadAndCropSettings
from understudy.data.augment.random_resized_crop import RandomResizedCropSettings
from understudy.data.views import make_view

BATCH = 256
SIZE = 32
ROUNDS = 15  # alternating, so that both sides meet the same disturbances; the best counts
OURS_A_ROUND = 4  # batches; theirs takes one, and that is longer

CROP_AND_FLIP: tuple[AnyTransform, ...] = (PadAndCropSettings(), HorizontalFlipSettings())
SIMCLR: tuple[AnyTransform, ...] = (
    RandomResizedCropSettings(),
    HorizontalFlipSettings(),
    ColorJitterSettings(),
    GrayscaleSettings(),
)

TO_FLOAT = v2.ToDtype(torch.float32, scale=True)
PEER_CROP_AND_FLIP = v2.Compose(
    [v2.RandomCrop(SIZE, padding=4), v2.RandomHorizontalFlip(), TO_FLOAT]
)
PEER_SIMCLR = v2.Compose(
    [
        v2.RandomResizedCrop(SIZE),
        v2.RandomHorizontalFlip(),
        v2.RandomApply([v2.ColorJitter(0.4, 0.4, 0.4, 0.1)], p=0.8),
        v2.RandomGrayscale(0.2),
        TO_FLOAT,
    ]
)


def table() -> Table:
    """Images a second of augmentation."""
    return Table(
        title="Augmentation",
        command="python -m bench.augment",
        note=f"images a second of processor time, batches of {BATCH} of {SIZE}x{SIZE}, one core, "
        f"best of {ROUNDS} rounds; torchvision takes one image after the other.",
        head=("views", "understudy", "torchvision", "ratio", "target"),
        rows=_rows(),
    )


def _rows() -> Iterator[tuple[str, ...]]:
    pixels = torch.randint(0, 256, (BATCH, 3, SIZE, SIZE), dtype=torch.uint8)
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield race("crop + flip", pixels, CROP_AND_FLIP, PEER_CROP_AND_FLIP, target=15_000)
        yield race("SimCLR", pixels, SIMCLR, PEER_SIMCLR, target=6_000)
    finally:
        torch.set_num_threads(before)  # the next races use every core


def race(
    name: str,
    pixels: Tensor,
    transforms: Sequence[AnyTransform],
    peer: Callable[[Tensor], Tensor],
    *,
    target: int,
) -> tuple[str, ...]:
    """Measures both sides in turn."""
    index = torch.arange(BATCH)

    def ours(step: int) -> Tensor:
        view_ids = torch.full_like(index, step)
        return make_view(
            pixels, index=index, view_ids=view_ids, transforms=transforms, size=SIZE, seed=0
        )

    def theirs() -> Tensor:
        return torch.stack([peer(image) for image in pixels])

    ours(0), theirs()
    our_seconds, their_seconds = [], []
    for number in range(ROUNDS):
        begun = process_time()
        for step in range(OURS_A_ROUND):
            ours(number * OURS_A_ROUND + step)
        our_seconds.append((process_time() - begun) / OURS_A_ROUND)
        begun = process_time()
        theirs()
        their_seconds.append(process_time() - begun)

    we, they = BATCH / min(our_seconds), BATCH / min(their_seconds)
    return name, f"{we:,.0f}", f"{they:,.0f}", f"{we / they:.1f}", f"{target:,}"


if __name__ == "__main__":
    shown(table())
