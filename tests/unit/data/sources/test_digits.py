from collections import Counter

import numpy as np
from sklearn.datasets import load_digits

from understudy.data.sources.digits import DigitsSettings


def test_all_digits_are_there_with_their_labels() -> None:
    listing = DigitsSettings().listing()

    assert len(listing.entries) == 1797
    assert listing.classes == tuple("0123456789")
    assert Counter(entry.split for entry in listing.entries) == {"": 1797}
    assert [entry.label for entry in listing.entries] == load_digits().target.tolist()


def test_seventeen_levels_are_spread_from_black_to_white() -> None:
    listing = DigitsSettings().listing()

    images = np.stack([listing.read(index) for index in range(1797)])

    assert images.shape == (1797, 1, 8, 8)
    assert images.dtype == np.uint8
    assert sorted(np.unique(images)) == [round(level * 255 / 16) for level in range(17)]
    np.testing.assert_array_equal(
        np.rint(images[:, 0].astype(float) * 16 / 255), load_digits().images
    )
