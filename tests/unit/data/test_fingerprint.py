import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from understudy.data.fingerprint import fingerprint, fingerprints_of, groups_of


@given(st.lists(st.integers(0, 5), min_size=1, max_size=40))
def test_images_are_in_one_group_exactly_when_their_pixels_are_equal(values: list[int]) -> None:
    images = [np.full((3, 4, 5), value, dtype=np.uint8) for value in values]

    groups = groups_of(fingerprints_of([fingerprint(image) for image in images]))

    equal = np.equal.outer(values, values)
    np.testing.assert_array_equal(np.equal.outer(groups, groups), equal)


def test_equal_bytes_of_another_shape_are_another_image() -> None:
    assert fingerprint(np.zeros((1, 2, 8), np.uint8)) != fingerprint(np.zeros((1, 4, 4), np.uint8))


def test_a_view_has_the_fingerprint_of_its_pixels() -> None:
    image = np.arange(27, dtype=np.uint8).reshape(3, 3, 3)

    assert fingerprint(image.transpose(2, 1, 0)) == fingerprint(image.transpose(2, 1, 0).copy())


def test_no_images_have_no_groups() -> None:
    assert len(groups_of(fingerprints_of([]))) == 0
