from pathlib import Path

import numpy as np
import pytest

from understudy.core.errors import DataError
from understudy.core.numbers import Numbers
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


FOUND = [
    (None, None),
    (None, Numbers(kind="float", white=1)),
    (Numbers(kind="float", white=1), None),
    (Numbers(kind="float", white=1), Numbers(kind="whole", white=1)),
    (Numbers(kind="whole", white=65_535), Numbers(kind="float", white=65_535)),
]


def of_bands(numbers: Numbers | None) -> Restored:
    found = of(2)
    told = {"bands": ("B04", "B08"), "depth": "uint16", "numbers": numbers}
    return found._replace(settings=found.settings.model_copy(update=told))


@pytest.mark.parametrize(("theirs", "own"), FOUND)
def test_numbers_of_one_white_go_together_and_so_does_what_nobody_knows(
    theirs: Numbers | None, own: Numbers | None
) -> None:
    same_channels(of_bands(theirs), pack("B04", "B08")._replace(numbers=own), Path("RUN"))


@pytest.mark.parametrize(
    ("theirs", "own", "told"),
    [
        (
            Numbers(kind="whole", white=65_535),
            Numbers(kind="float", white=1),
            [
                "trained on whole numbers from 0 to 65,535, which are 0 to 1 to a network",
                "these images hold floats from 0 to 1",
                "Set `data.white=65535`",
                "10000 if they are reflectances from 0 to 1",
            ],
        ),
        (
            Numbers(kind="float", white=1),
            Numbers(kind="whole", white=65_535),
            ["Set `data.white=1`", "0.0001 if 10,000 of them is reflectance 1"],
        ),
        (
            Numbers(kind="float", white=1),
            Numbers(kind="float", white=1.5),
            ["floats from 0 to 1.5", "Set `data.white=1`", "1 if they are the same"],
        ),
    ],
)
def test_numbers_that_mean_something_else_are_refused_with_the_way_on(
    theirs: Numbers, own: Numbers, told: list[str]
) -> None:
    with pytest.raises(DataError) as caught:
        same_channels(of_bands(theirs), pack("B04", "B08")._replace(numbers=own), Path("RUN"))

    assert [
        text for text in (*told, "`adopt` its checkpoint") if text not in str(caught.value)
    ] == []
