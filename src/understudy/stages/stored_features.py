"""What a frozen backbone gives, asked once: afterwards its head learns without the images."""

import numpy as np
import torch
from torch import Tensor

from understudy.core.errors import UsageError
from understudy.core.progress import Progress
from understudy.core.types import Tap
from understudy.guidance.bank import RESIDENT_BYTES, Views
from understudy.methods.method import Method
from understudy.models.network import Network

CHUNK = 128  # images at a time, as of a bank


@torch.no_grad()
def stored_features(method: Method, views: Views, *, ring: int, progress: Progress) -> Tensor:
    """Asks the backbone about so many views of each image, in single precision.

    Args:
        method: Whose network has a frozen backbone; on the device of the views.
        views: Of which images, and how they are made.
        ring: V, how many of each.
        progress: Where to show how far it is.

    Returns:
        [n, V, D], float32.

    Raises:
        UsageError: There is too much to keep.
    """
    network = method.network
    assert isinstance(network, Network), "what starts from a backbone is one network"
    count, width = len(views.indices), network.backbone.shape.pooled
    assert Tap.STAGES not in method.objective.taps, "no stored answer is to maps of stages"
    _must_have_room(4 * count * ring * width)
    network.eval()
    chunks = [np.arange(first, min(first + CHUNK, count)) for first in range(0, count, CHUNK)]
    values = torch.empty(count, ring, width, device=views.device)
    progress.say(f"features: {ring} views of {count:,} images, {width:,} of each")
    progress.begin("features: asking the backbone", len(chunks))
    for rows in chunks:
        for view_id in range(ring):
            (images,) = views.made(rows, view_id).views
            values[rows, view_id] = network.backbone_features(images)
        progress.advance()
    progress.end(f"{count:,} images in {ring} views")
    return values


def _must_have_room(size: int) -> None:
    if size > RESIDENT_BYTES:
        raise UsageError(
            f"stored_views: the features need {size / 1e9:.1f} GB of memory, and at most "
            f"{RESIDENT_BYTES / 1e9:.1f} GB are kept. Set it lower, or take it out."
        )
