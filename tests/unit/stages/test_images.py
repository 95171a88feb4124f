from pathlib import Path

import numpy as np
import pytest
from tests.packs import open_pack

from understudy.core.numbers import Numbers
from understudy.data.sources.digits import DigitsSettings
from understudy.stages.images import described


@pytest.mark.parametrize(
    ("groups", "told"),
    [
        ([], "10 classes, used as"),
        (["a", "b"] * 10, "10 classes, 2 groups, used as"),
        (["a", ""] * 10, "10 classes, 1 groups of 10 images, used as"),
    ],
)
def test_groups_are_told_and_how_many_images_have_one(
    groups: list[str], told: str, tmp_path: Path
) -> None:
    pack = open_pack(DigitsSettings(), shared=tmp_path)

    few = pack._replace(images=pack.images[:20], given=pack.given[:20], groups=tuple(groups))

    assert told in described(few)
    assert np.array_equal(few.labels, pack.labels)


def test_what_the_numbers_of_bands_were_is_told(tmp_path: Path) -> None:
    pack = open_pack(DigitsSettings(), shared=tmp_path)

    of_bands = pack._replace(bands=("B04",), numbers=Numbers(kind="float", white=2))

    assert "bands B04 of 8 bits, made of floats from 0 to 2" in described(of_bands)
