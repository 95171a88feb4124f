import numpy as np
import pytest

from understudy.core.depth import depth_of, grey_levels, white


@pytest.mark.parametrize(("kind", "most"), [(np.uint8, 255), (np.uint16, 65_535)])
def test_the_largest_value_of_the_type_is_white(kind: type, most: int) -> None:
    assert white(kind) == most
    assert depth_of(np.dtype(kind)) == np.dtype(kind).name


@pytest.mark.parametrize("kind", [np.int16, np.uint32, np.float32])
def test_pixels_of_another_type_are_none(kind: type) -> None:
    with pytest.raises(ValueError, match="there are uint8, uint16"):
        white(kind)


def test_pixels_of_eight_bits_are_shown_as_they_are() -> None:
    pixels = np.arange(24, dtype=np.uint8).reshape(1, 4, 6)

    assert np.array_equal(grey_levels(pixels), pixels)


def test_a_sensor_that_fills_little_of_sixteen_bits_is_shown_over_the_whole_range() -> None:
    pixels = np.linspace(300, 1200, 400).astype(np.uint16).reshape(1, 20, 20)

    shown = grey_levels(pixels)

    assert (shown.min(), shown.max()) == (0, 255)
    assert (np.diff(shown.ravel().astype(int)) >= 0).all()


def test_what_is_the_same_everywhere_is_shown_without_a_division_by_zero() -> None:
    assert not grey_levels(np.full((2, 3, 3), 500, dtype=np.uint16)).any()
