from pathlib import Path

import numpy as np
import pytest

from understudy.core.errors import DataError
from understudy.data.pack import Pack
from understudy.models.cifar_resnet import CifarResNetSettings
from understudy.models.network import NetworkSettings
from understudy.stages.restore import Restored, same_channels


def of(channels: int) -> Restored:
    settings = NetworkSettings(
        backbone=CifarResNetSettings(depth=8, width=0.25), channels=channels, size=8, classes=None
    )
    return Restored(settings.empty(), settings, {}, "last", "")


def pack(*bands: str) -> Pack:
    return Pack(
        images=np.zeros((2, len(bands), 8, 8), np.uint16),
        names=("a", "b"),
        labels=np.array([0, 1]),
        given=("train", "train"),
        classes=("x", "y"),
        key="k",
        skipped={},
        fingerprints=np.zeros((2, 2), np.uint64),
        bands=bands,
    )


@pytest.mark.parametrize(("channels", "is_told"), [(3, True), (1, False)])
def test_the_way_from_photographs_to_bands_is_told(channels: int, is_told: bool) -> None:
    with pytest.raises(DataError, match=f"{channels} channels; these have 2") as caught:
        same_channels(of(channels), pack("B04", "B08"), Path("RUN"))

    assert ("`adopt` makes weights of photographs those of bands" in str(caught.value)) is is_told
