from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from tests.rasters import LAYOUTS, Layout, bands, npy, npz, tiff

from understudy.core.errors import MissingResourceError
from understudy.core.numbers import Numbers
from understudy.data.bands.decoding import BandDecoding, names_in
from understudy.data.decode import UnreadableImageError

NAMES = ("B02", "B03", "B04", "B08")
BANDS = bands(4)


def pixels_of(content: Any, *wanted: str, **settings: Any) -> NDArray[Any]:
    decoding = BandDecoding(bands=wanted or NAMES, **{"names": NAMES, **settings})
    return decoding.decoded(content, name="a.tif").pixels


def refusal(content: Any, *wanted: str, **settings: Any) -> UnreadableImageError:
    with pytest.raises(UnreadableImageError) as caught:
        pixels_of(content, *wanted, **settings)
    return caught.value


@pytest.mark.parametrize("layout", LAYOUTS)
def test_bands_are_chosen_and_ordered_by_name(layout: Layout) -> None:
    found = pixels_of(tiff(BANDS, layout), "B04", "B08", "B02")

    assert found.dtype == np.uint16
    assert np.array_equal(found, BANDS[[2, 3, 0]])


def test_names_of_the_file_serve_where_none_are_given_and_else_numbers() -> None:
    named, bare = tiff(BANDS, description=" ".join(NAMES)), tiff(BANDS)

    assert names_in(named, name="a", names=()) == NAMES
    assert names_in(bare, name="a", names=()) == ("1", "2", "3", "4")
    assert np.array_equal(pixels_of(named, "B08", names=()), BANDS[3:])
    assert np.array_equal(pixels_of(bare, "4", names=()), BANDS[3:])


def test_names_that_contradict_the_order_of_the_file_are_refused() -> None:
    named = tiff(BANDS, description="B03 B02 B04 B08")

    error = refusal(named)

    assert error.reason == "other bands"
    assert "own order is B03, B02, B04, B08" in error.detail
    assert np.array_equal(pixels_of(named, "a", names=("a", "b", "c", "d")), BANDS[:1])


def test_a_file_without_names_among_others_is_told_how_to_name_them() -> None:
    assert "`data.band_names` can" in refusal(npy(BANDS), names=()).detail
    assert "`data.band_names` can" not in refusal(npy(BANDS[:3]), names=()).detail
    assert "lacks 5" in refusal(npy(BANDS), "1", "5", names=()).detail


def test_two_files_of_one_band_are_no_image() -> None:
    one = tiff(BANDS[:1], "pages")

    error = refusal((("B02", one), ("B03", one), ("B02", one)), "B02", names=())

    assert "several files of B02" in error.detail


@pytest.mark.parametrize(
    ("values", "found"),
    [
        (np.array([[0, 255]], np.uint8), np.array([[0, 255]], np.uint8)),
        (np.array([[0, 65_535]], np.uint16), np.array([[0, 65_535]], np.uint16)),
        (np.array([[0, 9_000]], np.int16), np.array([[0, 9_000]], np.uint16)),
        (np.array([[7, 65_535]], np.int64), np.array([[7, 65_535]], np.uint16)),
        (np.array([[0.0, 1.0]], np.float32), np.array([[0, 65_535]], np.uint16)),
        (np.array([[0.0, 0.5]], np.float64), np.array([[0, 32_768]], np.uint16)),
    ],
)
def test_numbers_keep_what_they_mean(values: NDArray[Any], found: NDArray[Any]) -> None:
    pixels = pixels_of(npz(a=values, b=values), "b", names=("a", "b"))

    assert pixels.dtype == found.dtype
    assert np.array_equal(pixels[0], found)


def test_white_is_the_value_of_floats_that_counts_as_one() -> None:
    values = np.array([[0, 5_000, 10_000]], np.float32)

    found = pixels_of(npz(a=values, b=values), "a", names=("a", "b"), white=10_000)

    assert found.ravel().tolist() == [0, 32_768, 65_535]


@pytest.mark.parametrize(
    ("value", "reason", "detail"),
    [
        (np.nan, "not a number", "1 of B03, 63 pixels each"),
        (np.inf, "not a number", "1 of B03"),
        (-0.1, "out of range", "values from -0.1 to "),
        (1.5, "out of range", "to 1.5; 0 to 1 are read; `data.white` says which value is 1"),
    ],
)
def test_floats_that_are_no_pixels_are_refused(value: float, reason: str, detail: str) -> None:
    values = (BANDS / 20_000).astype(np.float32)
    values[1, 2, 3] = value

    error = refusal(tiff(values))

    assert error.reason == reason
    assert detail in error.detail
    assert error.look.mode == "float32 in 4 bands"


def test_whole_numbers_out_of_range_are_refused() -> None:
    values = BANDS.astype(np.int32)
    values[0, 0, 0] = -1

    assert "values from -1 to" in refusal(tiff(values)).detail
    assert refusal(tiff(values)).reason == "out of range"


def test_pixels_without_data_are_refused_band_by_band() -> None:
    values = BANDS.copy()
    values[0, :2], values[3, 0, 0] = 0, 0

    marked = tiff(values, extratags=[(42113, 2, None, "0", True)])

    assert refusal(marked).reason == "nodata"
    assert refusal(marked).detail == "value 0: 14 of B02, 1 of B08, 63 pixels each"
    assert refusal(tiff(values), nodata=0.0).reason == "nodata"
    assert np.array_equal(pixels_of(marked, nodata="ignore"), values)
    assert np.array_equal(pixels_of(tiff(values)), values), "nobody says that 0 means anything"


def test_what_is_wrong_with_other_bands_is_of_no_account() -> None:
    values = (BANDS / 20_000).astype(np.float32)
    values[1] = np.nan

    assert np.isfinite(pixels_of(tiff(values), "B02", "B08")).all()


def test_an_image_of_another_number_of_bands_is_refused_with_what_it_has() -> None:
    error = refusal(tiff(BANDS[:3]))

    assert error.reason == "other bands"
    assert error.detail == "uint16 in 3 bands; `data.band_names` names 4"
    assert (error.look.mode, error.look.width, error.look.height) == ("uint16 in 3 bands", 7, 9)


def test_an_image_that_lacks_a_band_is_refused() -> None:
    content = npz(B02=BANDS[0], B03=BANDS[1])

    assert "lacks B08" in refusal(content, "B02", "B08", names=()).detail
    assert pixels_of(content, "B03", names=()).shape == (1, 9, 7)


def test_further_bands_matter_only_where_all_were_meant() -> None:
    content = npz(B02=BANDS[0], B03=BANDS[1])

    assert "has B03 as well" in refusal(content, "B02", names=(), alone=True).detail
    assert pixels_of(content, "B02", names=()).shape == (1, 9, 7)


def files(*values: NDArray[Any]) -> tuple[tuple[str, bytes], ...]:
    return tuple((name, tiff(one[None], "pages")) for name, one in zip(NAMES, values, strict=False))


def test_a_file_for_each_band_is_laid_on_the_grid_of_the_largest() -> None:
    fine = bands(1, height=12, width=12)[0]
    coarse = np.repeat(np.repeat(np.array([[100, 9_000]], np.uint16), 3, axis=0), 2, axis=1)[:, :3]

    found = pixels_of(files(fine, coarse), "B03", "B02", names=())

    assert found.shape == (2, 12, 12)
    assert np.array_equal(found[1], fine), "what has the grid already is not touched"
    assert found[0, :, 0].tolist() == [100] * 12
    assert (np.diff(found[0, 0].astype(int)) >= -1_000).all()
    assert found[0].min() >= 0, "bicubic overshoot does not wrap around"


@given(st.sampled_from([20, 60, 120]), st.integers(0, 65_535))
def test_a_constant_band_stays_the_same_at_any_resolution(side: int, level: int) -> None:
    fine = np.zeros((120, 120), np.uint16)
    coarse = np.full((side, side), level, np.uint16)

    found = pixels_of(files(fine, coarse), "B02", "B03", names=())

    assert (found[1] == level).all()


def test_files_of_other_shapes_types_or_bands_are_refused() -> None:
    fine, wide = bands(1, height=12, width=12)[0], bands(1, height=6, width=12)[0]

    assert "other shapes" in refusal(files(fine, wide), "B02", "B03", names=()).detail
    mixed = files(fine, fine.astype(np.uint8))
    assert "uint16, uint8" in refusal(mixed, "B02", "B03", names=()).detail
    two = (("B02", tiff(BANDS[:2])),)
    assert "holds uint16 in 2 bands, not one" in refusal(two, "B02", names=()).detail


def test_a_size_resizes_the_shorter_side_and_crops_the_centre() -> None:
    values = np.broadcast_to(np.arange(60, dtype=np.uint16)[None, None] * 100, (4, 20, 60))

    found = pixels_of(tiff(np.ascontiguousarray(values)), size=10)

    assert found.shape == (4, 10, 10)
    assert abs(int(found[0, 5, 5]) - 3_000) <= 150, "the middle stays the middle"


def test_other_files_are_refused_with_their_beginning() -> None:
    assert refusal(b"").reason == "empty"
    assert "bands are read of TIFF, .npy and .npz" in refusal(b"\x89PNG....").detail
    assert refusal(npy(BANDS)[:-5]).reason == "damaged"


@given(st.data())
def test_no_damage_leads_to_any_other_error(data: st.DataObject) -> None:
    layout = data.draw(st.sampled_from(LAYOUTS))
    made = data.draw(st.sampled_from([tiff(BANDS, layout), npy(BANDS), npz(a=BANDS)]))
    content = bytearray(made)
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))

    try:
        found = pixels_of(bytes(content), size=8)
    except (UnreadableImageError, MissingResourceError):  # the latter: another compression's name
        return

    assert found.shape == (4, 8, 8)


REFLECTANCES = (BANDS / 10_000).astype(np.float32)


@pytest.mark.parametrize(
    ("values", "settings", "same_as"),
    [
        (BANDS, {"scale": 1e-4, "white": 1.0}, REFLECTANCES),
        (REFLECTANCES, {"scale": 10_000.0, "white": 65_535.0}, BANDS),
        (BANDS, {"scale": 1e-4, "white": 6.5535}, BANDS),
        (BANDS.astype(np.float64), {"scale": 1.0, "white": 65_535.0}, BANDS),
    ],
)
def test_a_scale_takes_numbers_to_those_of_other_files(
    values: NDArray[Any], settings: dict[str, Any], same_as: NDArray[Any]
) -> None:
    found = pixels_of(tiff(values), **settings)

    assert found.dtype == np.uint16
    assert np.array_equal(found, pixels_of(tiff(same_as)))


def test_scaled_whole_numbers_of_eight_bits_become_sixteen() -> None:
    values = np.array([[0, 51, 255]], np.uint8)

    found = pixels_of(npz(a=values, b=values), "a", names=("a", "b"), scale=1 / 255)

    assert found.dtype == np.uint16
    assert found.ravel().tolist() == [0, 13_107, 65_535]


def test_range_and_mark_are_told_in_the_files_own_numbers() -> None:
    bright, marked = BANDS.copy(), BANDS.copy()
    bright[0, 0, 0], marked[0, 0, 0] = 12_000, 20_000

    beyond = refusal(tiff(bright), scale=1e-4)
    empty = refusal(tiff(marked), scale=1e-4, nodata=20_000)

    assert "to 1.2e+04; 0 to 10,000 are read; `data.white` says" in beyond.detail
    assert empty.detail == "value 20000: 1 of B02, 63 pixels each"


@pytest.mark.parametrize(
    ("values", "settings", "kind", "one"),
    [
        (BANDS.astype(np.uint8), {}, "whole", 255),
        (BANDS, {"white": 3.0}, "whole", 65_535),
        (BANDS.astype(np.int32), {}, "whole", 65_535),
        (REFLECTANCES, {}, "float", 1),
        (REFLECTANCES, {"white": 3.0}, "float", 3),
        (BANDS, {"scale": 1e-4, "white": 2.0}, "whole", 2),
        (BANDS.astype(np.uint8), {"scale": 1e-4}, "whole", 1),
        (REFLECTANCES, {"scale": 1e4, "white": 65_535.0}, "float", 65_535),
    ],
)
def test_only_numbers_that_mean_the_same_are_read_where_that_is_asked(
    values: NDArray[Any], settings: dict[str, Any], kind: Any, one: float
) -> None:
    decoding = BandDecoding(bands=NAMES, names=NAMES, **settings)
    own = Numbers(kind=kind, white=one)
    other_kind = Numbers(kind="float" if kind == "whole" else "whole", white=one)

    assert decoding.numbers_of(values.dtype) == own
    assert decoding.decoded(tiff(values), name="a", only=own).pixels.shape == (4, 9, 7)
    for other in (other_kind, Numbers(kind=kind, white=one / 2)):
        with pytest.raises(UnreadableImageError, match="the model learned from") as caught:
            decoding.decoded(tiff(values), name="a", only=other)
        assert caught.value.reason == "other numbers"


def test_other_numbers_are_told_before_their_range() -> None:
    """`data.white` is no help to somebody who asks a finished model."""
    decoding = BandDecoding(bands=NAMES, names=NAMES)

    with pytest.raises(UnreadableImageError, match="float32: floats from 0 to 1; the model"):
        decoding.decoded(
            tiff(BANDS.astype(np.float32)), name="a", only=Numbers(kind="whole", white=65_535)
        )
