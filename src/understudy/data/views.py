"""Views: what a training sees of an image, made for a whole batch at once.

View v of image i is a pure function of (seed, v, i): its parameters are the same in every batch,
on every device and after every resume; its pixels are equal bit for bit on the same device and
batch, and within rounding elsewhere.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, Self

import torch
import torch.nn.functional as F
from pydantic import Field, PositiveInt, model_validator
from torch import Tensor

from understudy.core.depth import Depth, white
from understudy.core.settings import Added, Settings
from understudy.data.augment import AnyTransform
from understudy.data.augment.color_jitter import ColorJitterSettings
from understudy.data.augment.flip import HorizontalFlipSettings
from understudy.data.augment.grayscale import GrayscaleSettings
from understudy.data.augment.random_resized_crop import RandomResizedCropSettings
from understudy.data.augment.single import SingleTransform
from understudy.data.augment.transform import Applied, Dice, Frame, Size, Statistics, of_views
from understudy.data.augment.window import Flip, Window, seen_through
from understudy.data.counter import states

__all__ = [
    "AnyTransform",
    "ViewSettings",
    "as_floats",
    "as_pixels",
    "clean_view",
    "make_view",
    "parameters",
    "view_objections",
]

Parameters = Window | Flip | Applied
"""What was drawn for one transform: tensors of [B, ...] on the CPU."""

_CHUNK_BYTES = 1 << 19  # of float pixels: what goes in and comes out fits a 1 MB second-level cache


Switch = Literal["crop", "flip", "color"]
SWITCHES: dict[Switch, tuple[SingleTransform, ...]] = {
    "crop": (RandomResizedCropSettings(),),
    "flip": (HorizontalFlipSettings(),),
    # SimCLR's at strength 0.3, which suits fine-tuning: 0.8 x 0.3, and 0.2 x 0.3 of hue
    "color": (
        ColorJitterSettings(brightness=0.24, contrast=0.24, saturation=0.24, hue=0.06),
        GrayscaleSettings(),
    ),
}


class ViewSettings(Settings):
    """How one view of each image is made."""

    augment: Annotated[tuple[Switch, ...], Added()] = ()
    """Changes by name, in place of `transforms`, which say the same in full: a random crop that is
    stretched again, a flip left to right, colours (jitter of strength 0.3, some images gray). They
    follow each other so, however they are listed."""
    transforms: tuple[AnyTransform, ...] = ()  # none: the clean image, as in evaluation
    """Changes in the order given; a flip beside a crop costs nothing."""
    size: PositiveInt | None = None
    """Side of this view, in pixels, such as 96 of the small crops beside two of 224 that SwAV and
    DINO know; by default that of the training."""

    @model_validator(mode="before")
    @classmethod
    def _written_out(cls, values: Any) -> Any:
        """Names become the transforms that they stand for, so both are one and the same view."""
        if not isinstance(values, Mapping) or values.get("transforms"):
            return values
        names = values.get("augment")
        if not names or not isinstance(names, list | tuple):
            return values
        if not all(list(names).count(name) == 1 and name in [*SWITCHES] for name in names):
            return values
        chosen = [one for name, each in SWITCHES.items() if name in names for one in each]
        return {**values, "augment": (), "transforms": chosen}

    @model_validator(mode="after")
    def _said_once(self) -> Self:
        if self.augment and self.transforms:
            raise ValueError(
                "augment: names changes that `transforms` list already; take one of them out"
            )
        if self.augment:
            raise ValueError(f"augment: {', '.join(self.augment)} names a change twice")
        return self


Views = Annotated[tuple[ViewSettings, ...], Field(min_length=1)]
"""How each view of an image is made; there is at least one."""


def view_objections(views: Sequence[ViewSettings], channels: int) -> list[str]:
    """Every transform that images of so many channels cannot follow, and what to do instead."""
    return [
        f"views[{view}].transforms[{place}] ({transform.kind}) {objection}; the images have "
        f"{channels} channel{'' if channels == 1 else 's'}"
        for view, made in enumerate(views)
        for place, transform in enumerate(made.transforms)
        if (objection := transform.objection(channels)) is not None
    ]


def parameters(
    transforms: Sequence[AnyTransform],
    *,
    index: Tensor,
    view_ids: Tensor,
    source: Size,
    target: Size,
    seed: int,
    statistics: Statistics | None = None,
) -> tuple[Parameters, ...]:
    """Draws what each transform does to each view.

    A transform's numbers depend on its kind and on how many of its kind come before it: taking
    blur out of a plan leaves every crop where it was.

    Args:
        transforms: The plan.
        index: [B], int64: which image.
        view_ids: [B], int64: which view of it.
        source: Size of the images that the first transform gets.
        target: Size of the view.
        seed: The seed of the views.
        statistics: Of the channels, where a transform counts in deviations of them.

    Returns:
        One set of parameters for each transform, on the CPU.
    """
    words = states(seed=seed, view_ids=view_ids.cpu(), index=index.cpu())
    seen: Counter[str] = Counter()
    drawn: list[Parameters] = []
    for transform in transforms:
        dice = Dice(words=words, scope=f"{transform.kind} {seen[transform.kind]}")
        drawn.append(transform.draw(dice, Frame(source, target, statistics)))
        seen[transform.kind] += 1
        source = target if isinstance(transform, RandomResizedCropSettings) else source
    return tuple(drawn)


@torch.no_grad()
def make_view(
    pixels: Tensor,
    *,
    index: Tensor,
    view_ids: Tensor,
    transforms: Sequence[AnyTransform],
    size: int | None,
    seed: int,
    statistics: Statistics | None = None,
) -> Tensor:
    """Makes one view of each image of a batch.

    Images of another size than the view's are resized as in evaluation before the first
    transform, unless a random resized crop does so.

    Args:
        pixels: [B, C, H, W], of 8 or 16 bits, on the device where the view is wanted.
        index: [B], int64: which image; best on the CPU, where parameters are drawn.
        view_ids: [B], int64: which view of it; likewise.
        transforms: The plan; none gives the clean image.
        size: Height and width of the view, or None to keep those of the image.
        seed: The seed of the views.
        statistics: Of the channels, where a transform counts in deviations of them.

    Returns:
        [B, C, size, size], float32 in [0, 1].
    """
    source = Size(*pixels.shape[2:])
    target = source if size is None else Size(size, size)
    stretches = any(isinstance(transform, RandomResizedCropSettings) for transform in transforms)
    drawn = parameters(
        transforms,
        index=index,
        view_ids=view_ids,
        source=source if stretches else target,
        target=target,
        seed=seed,
        statistics=statistics,
    )

    view = torch.empty(*pixels.shape[:2], *target, dtype=torch.float32, device=pixels.device)
    for chunk in _chunks(pixels, target):
        images = (
            as_floats(pixels[chunk]) if stretches else _resized(as_floats(pixels[chunk]), target)
        )
        view[chunk] = _followed(images, [of_views(values, chunk) for values in drawn])
    return view


@torch.no_grad()
def clean_view(pixels: Tensor, *, size: int | None) -> Tensor:
    """The image as evaluation sees it: short side resized to `size`, then the central square.

    Args:
        pixels: [B, C, H, W], of 8 or 16 bits.
        size: Height and width of the view, or None to keep those of the image.

    Returns:
        [B, C, size, size], float32 in [0, 1].
    """
    images = as_floats(pixels)
    return images if size is None else _resized(images, Size(size, size))


def _followed(images: Tensor, drawn: Sequence[Parameters]) -> Tensor:
    """Follows a drawn plan; neighbouring geometric steps are one resampling."""
    geometry: list[Window | Flip] = []
    for step in drawn:
        if isinstance(step, Window | Flip):
            geometry.append(step)
            continue
        images = step.apply(seen_through(images, geometry) if geometry else images)
        geometry = []
    return seen_through(images, geometry) if geometry else images


def as_floats(pixels: Tensor) -> Tensor:
    """Pixels of 8 or 16 bits as every network is given them, float32 in [0, 1]."""
    return pixels.to(torch.float32).div_(torch.iinfo(pixels.dtype).max)


def as_pixels(images: Tensor, depth: Depth) -> Tensor:
    """Images in [0, 1] as pixels again, rounded."""
    return (images * white(depth)).round().clamp(0, white(depth)).to(getattr(torch, depth))


def _resized(images: Tensor, target: Size) -> Tensor:
    """Torchvision's `resize` of the short side, antialiased, and `center_crop`; for squares."""
    height, width = images.shape[2:]
    if height == target.height and width == target.width:
        return images
    short, side = min(height, width), target.height
    shape = (side * height // short, side * width // short)
    images = F.interpolate(images, shape, mode="bilinear", antialias=True)
    top, left = (round((length - side) / 2) for length in shape)
    return images[:, :, top : top + side, left : left + side]


def _chunks(pixels: Tensor, target: Size) -> list[slice]:
    """Parts of a batch that fit into a core's cache; elsewhere the whole batch is one part."""
    batch, channels, height, width = pixels.shape
    if pixels.device.type != "cpu":
        return [slice(0, batch)]
    image_bytes = 4 * channels * max(height * width, target.height * target.width)
    length = max(1, _CHUNK_BYTES // image_bytes)
    return [slice(start, start + length) for start in range(0, batch, length)]
