"""First layers that learned from red, green and blue, made to take other channels."""

from collections.abc import Mapping

from torch import Tensor

Colours = tuple[int, int, int]
"""Positions of red, green and blue among the channels."""
RGB = 3


def inflated(
    tensors: Mapping[str, Tensor],
    wanted: Mapping[str, Tensor],
    *,
    channels: int,
    colours: Colours | None,
) -> dict[str, Tensor]:
    """The weights with convolutions of three channels made those of so many.

    Args:
        tensors: By name.
        wanted: Those of the network that takes them, of which shapes are read.
        channels: Of its images.
        colours: Where red, green and blue are among them; None: nobody knows, and three channels
            are taken for these in their order.
    """

    def looks_at_images(name: str, tensor: Tensor) -> bool:
        if name not in wanted or tensor.ndim != 4 or tensor.shape[1] != RGB:
            return False
        return wanted[name].shape == (tensor.shape[0], channels, *tensor.shape[2:])

    if colours is None and channels == RGB:
        return dict(tensors)
    return {
        name: by_colour(tensor, channels, colours) if looks_at_images(name, tensor) else tensor
        for name, tensor in tensors.items()
    }


def by_colour(weight: Tensor, channels: int, colours: Colours | None) -> Tensor:
    """Weights of red, green and blue [O, 3, ...] for bands: each colour's own, else their mean.

    Scaled as timm scales them, so that an image of one value in every channel is answered alike.
    """
    made = weight.mean(dim=1, keepdim=True).repeat_interleave(channels, dim=1)
    for position, colour in zip(colours or (), weight.unbind(dim=1), strict=False):
        made[:, position] = colour
    return made * (RGB / channels)
