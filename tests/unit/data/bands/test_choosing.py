from collections.abc import Callable

import pytest
from tests.rasters import bands, tiff

from understudy.core.errors import DataError, UsageError
from understudy.data.bands.choosing import Chosen, WantedBands, chosen_bands

NAMED = tiff(bands(3), description="B02 B03 B04")
BARE = tiff(bands(3))


def chosen(wanted: WantedBands, *contents: bytes, names: tuple[str, ...] | None = None) -> Chosen:
    images = [f"{number}.tif" for number in range(len(contents))]
    return chosen_bands(wanted, names, images=images, read=contents.__getitem__, origin="here")


def test_all_is_what_most_images_have_and_no_other_may_have_more() -> None:
    assert chosen("all", BARE, NAMED, NAMED) == Chosen(("B02", "B03", "B04"), alone=True)
    assert chosen("all", NAMED, BARE) == Chosen(("B02", "B03", "B04"), alone=True)
    assert chosen("all", BARE) == Chosen(("1", "2", "3"), alone=True)


def test_rgb_is_red_green_blue_whatever_their_order_in_the_file() -> None:
    assert chosen("rgb", NAMED).bands == ("B04", "B03", "B02")
    assert chosen("rgb", BARE, names=("blue", "green", "red")).bands == ("red", "green", "blue")
    with pytest.raises(UsageError, match="called 1, 2, 3, which does not tell red, green and blue"):
        chosen("rgb", BARE)


def test_bands_that_no_image_has_are_told_with_those_that_they_have() -> None:
    with pytest.raises(UsageError, match=r"has B4; their bands are B02, B03, B04\. Did you mean"):
        chosen(("B03", "B4"), NAMED)
    with pytest.raises(UsageError, match=r"Name them in order with `data\.band_names`"):
        chosen(("B03",), BARE)


def test_one_odd_image_does_not_speak_for_the_others() -> None:
    """It is refused by name when all are read, with a table."""
    assert chosen(("B03",), BARE, NAMED).bands == ("B03",)
    assert chosen(("B03",), b"broken", NAMED).bands == ("B03",)


def test_images_that_cannot_be_read_at_all_are_told() -> None:
    with pytest.raises(DataError, match=r"none of the 2 images opened .* 0\.tif: unsupported"):
        chosen("all", b"broken", b"broken")


def test_no_more_images_are_asked_than_can_be_outvoted() -> None:
    asked: list[int] = []

    def read(index: int) -> bytes:
        asked.append(index)
        return NAMED

    images = [str(number) for number in range(100)]
    for wanted, most in (("all", 4), (("B03",), 1)):
        asked.clear()
        chosen_bands(wanted, None, images=images, read=read, origin="here")  # type: ignore[arg-type]
        assert len(asked) == most


def test_given_names_ask_no_image() -> None:
    def never(index: int) -> bytes:
        raise AssertionError(index)

    read: Callable[[int], bytes] = never
    found = chosen_bands(("b",), ("a", "b"), images=["0.tif"], read=read, origin="here")

    assert found.bands == ("b",)


def test_no_image_has_no_bands() -> None:
    assert chosen("all").bands == ()
