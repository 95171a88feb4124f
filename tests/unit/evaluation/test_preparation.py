import json

import numpy as np
import pytest
import torch

from understudy.core.errors import UsageError
from understudy.core.numbers import Numbers
from understudy.data.bands.decoding import BandDecoding
from understudy.data.decode import Decoding
from understudy.data.views import clean_view
from understudy.evaluation.preparation import MOST_SIDE, Preparation, preparation_of


@pytest.mark.parametrize("channels", ["rgb", "grey"])
@pytest.mark.parametrize("first", [None, 32])
def test_what_a_file_says_of_itself_is_understood_again(channels: str, first: int | None) -> None:
    decoding = Decoding("rgb" if channels == "rgb" else "grey", first)
    preparation = Preparation(decoding, 24)

    told = preparation.as_json()

    count = 3 if channels == "rgb" else 1
    assert preparation_of(told, size=24, channels=count, origin="a.onnx") == preparation


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"conversion": 1, "channels": "cmyk", "size": 8},
        {"conversion": 2, "channels": "rgb", "size": 8},
        {"conversion": 1, "channels": "grey", "size": 8},
        {"conversion": 1, "channels": ["rgb"], "size": 8},
        {"conversion": 1, "channels": "rgb", "size": "8"},
        {"conversion": 1, "channels": "rgb", "size": 0},
        {"conversion": 1, "channels": "rgb", "size": MOST_SIDE + 1},
    ],
)
def test_what_is_not_understood_is_refused(told: dict[str, object]) -> None:
    with pytest.raises(UsageError, match=r"a\.onnx: does not say how"):
        preparation_of(told, size=8, channels=3, origin="a.onnx")


def test_the_network_sees_what_evaluation_shows_it() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (3, 40, 30), dtype=np.uint8)

    seen = Preparation(Decoding("rgb", None), 16).seen(pixels)

    assert torch.equal(seen, clean_view(torch.from_numpy(pixels)[None], size=16)[0])


def test_its_words_name_every_resizing() -> None:
    once = " ".join(Preparation(Decoding("rgb", 32), 32).in_words())
    twice = " ".join(Preparation(Decoding("grey", 32), 24).in_words())

    assert "32 x 32" in once and "bilinear" not in once and "R, G, B" in once
    assert "32 x 32" in twice and "to 24 pixels (bilinear" in twice and "0.299 R" in twice


BANDS = BandDecoding(bands=("B04", "B08"))
WHOLE, FLOATS = Numbers(kind="whole", white=65_535), Numbers(kind="float", white=2)


@pytest.mark.parametrize(
    ("decoding", "numbers", "told"),
    [
        (
            BANDS,
            None,
            [
                "whole numbers of 8 or 16 bits are kept",
                "float values v, from 0 to 1, become 65,535 v / 1, rounded",
            ],
        ),
        (
            BANDS,
            WHOLE,
            [
                "whole numbers are kept, from 0 to 65,535",
                "float values are refused: the model learned from whole numbers",
            ],
        ),
        (
            BANDS._replace(white=2.0),
            FLOATS,
            [
                "float values v, from 0 to 2, become 65,535 v / 2, rounded",
                "whole numbers are refused: the model learned from floats",
            ],
        ),
        (
            BANDS._replace(scale=1e-4),
            Numbers(kind="whole", white=1),
            [
                "whole numbers v, from 0 to 10000, become 65,535 v / 10000, rounded",
                "float values are refused: the model learned from whole numbers",
            ],
        ),
    ],
)
def test_its_words_tell_which_numbers_are_read(
    decoding: BandDecoding, numbers: Numbers | None, told: list[str]
) -> None:
    words = Preparation(decoding, 8, numbers).in_words()

    assert words[2:4] == told


@pytest.mark.parametrize("numbers", [None, WHOLE, FLOATS])
def test_which_numbers_it_learned_from_is_understood_again(numbers: Numbers | None) -> None:
    preparation = Preparation(BANDS._replace(scale=0.5), 8, numbers)

    told = json.loads(json.dumps(preparation.as_json()))

    assert preparation_of(told, size=8, channels=2, origin="a.onnx") == preparation
    assert preparation_of(
        {key: value for key, value in told.items() if key not in ("scale", "numbers")},
        size=8,
        channels=2,
        origin="a.onnx",
    ) == Preparation(BANDS, 8), "files that were exported before are still read"


def test_a_scale_is_for_bands_whose_numbers_are_known() -> None:
    scaled = Preparation(BANDS, 8, FLOATS).scaled(0.5, origin="a.onnx")

    assert scaled == Preparation(BANDS._replace(scale=0.5, white=2.0), 8)
    with pytest.raises(UsageError, match=r"a\.onnx takes photographs"):
        Preparation(Decoding("rgb", 8), 8).scaled(1.0, origin="a.onnx")
    with pytest.raises(UsageError, match=r"a\.onnx does not tell which numbers"):
        Preparation(BANDS, 8).scaled(1.0, origin="a.onnx")
