import pytest

from understudy.data.bands.names import colours, distinct, numbered, of_gdal, of_words

GDAL = (
    "<GDALMetadata>"
    '<Item name="DESCRIPTION" sample="1" role="description">B03 &amp; more</Item>'
    '<Item name="DESCRIPTION" sample="0" role="description">B02</Item>'
    '<Item name="scale">1</Item></GDALMetadata>'
)


def test_descriptions_of_gdal_are_taken_by_their_number() -> None:
    assert of_gdal(GDAL, 2) == ("B02", "B03 & more")
    assert of_gdal(GDAL, 3) == ()


@pytest.mark.parametrize("text", ["B02 B03 B04", "B02, B03,B04", " B02\nB03;B04 "])
def test_words_are_names_where_there_is_one_for_each_band(text: str) -> None:
    assert of_words(text, 3) == ("B02", "B03", "B04")
    assert of_words(text, 4) == ()


def test_names_that_do_not_tell_bands_apart_are_none() -> None:
    assert distinct(["a", "a"], 2) == ()
    assert distinct(["a", ""], 2) == ()
    assert numbered(3) == ("1", "2", "3")


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (("B02", "B03", "B04", "B08"), ("B04", "B03", "B02")),
        (("nir", "Blue", "Green", "Red"), ("Red", "Green", "Blue")),
        (("R", "G", "B"), ("R", "G", "B")),
        (("B2", "B3", "B4", "B8A"), ("B4", "B3", "B2")),
        (("1", "2", "3"), None),
        ((), None),
    ],
)
def test_colours_are_known_by_their_names(
    names: tuple[str, ...], found: tuple[str, ...] | None
) -> None:
    assert colours(names) == found


def test_landsat_is_not_taken_for_sentinel() -> None:
    """Its B4 is red on one satellite of the series and near infrared on another."""
    assert colours(("B1", "B2", "B3", "B4", "B5")) is None
