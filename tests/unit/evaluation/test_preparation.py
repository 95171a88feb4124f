import numpy as np
import pytest
import torch

from understudy.core.errors import UsageError
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
