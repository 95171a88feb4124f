import sys
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from tests.rasters import LAYOUTS, Layout, bands, tiff

from understudy.core.errors import MissingResourceError
from understudy.data.bands.tiff import read_tiff
from understudy.data.decode import UnreadableImageError

BANDS = bands(5)
VARIANTS = Path(__file__).parents[5] / "shared" / "data" / "s2_l2a_12band" / "layout_variants"


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_bands_are_the_same_in_every_layout(layout: Layout, compression: str | None) -> None:
    stack = read_tiff(tiff(BANDS, layout, compression=compression), name="a", count=None)

    assert np.array_equal(stack.values, BANDS)
    assert stack.values.dtype == np.uint16
    assert stack.layout == "uint16 in 5 bands"


def test_one_band_is_one_band() -> None:
    content = tiff(BANDS[:1], "pages")

    assert np.array_equal(read_tiff(content, name="a", count=1).values, BANDS[:1])


def test_tiles_byte_order_and_bigtiff_change_nothing() -> None:
    large = bands(3, height=40, width=33)
    content = tiff(large, "planar", tile=(16, 16), byteorder=">", bigtiff=True)

    assert np.array_equal(read_tiff(content, name="a", count=None).values, large)


def test_overviews_and_masks_are_no_bands() -> None:
    stream = BytesIO()
    with tifffile.TiffWriter(stream) as file:
        told: dict[str, Any] = {"photometric": "minisblack", "planarconfig": "separate"}
        file.write(BANDS, metadata=None, **told)
        file.write(BANDS[:, ::2, ::2], subfiletype=1, metadata=None, **told)

    assert np.array_equal(read_tiff(stream.getvalue(), name="a", count=None).values, BANDS)


def test_names_come_from_the_description_from_gdal_or_from_the_pages() -> None:
    words = tiff(BANDS, description="B02 B03 B04 B08 B11")
    items = "".join(
        f'<Item name="DESCRIPTION" sample="{place}" role="description">band{place}</Item>'
        for place in range(5)
    )
    gdal = tiff(BANDS, extratags=[(42112, 2, None, f"<GDALMetadata>{items}</GDALMetadata>", True)])
    stream = BytesIO()
    with tifffile.TiffWriter(stream) as file:
        for name, band in zip("abcde", BANDS, strict=True):
            file.write(band, description=name, metadata=None)

    assert read_tiff(words, name="a", count=None).names == ("B02", "B03", "B04", "B08", "B11")
    assert read_tiff(gdal, name="a", count=None).names == tuple(f"band{n}" for n in range(5))
    assert read_tiff(stream.getvalue(), name="a", count=None).names == tuple("abcde")
    assert read_tiff(tiff(BANDS, description="a field"), name="a", count=None).names == ()


def test_gdals_mark_of_no_data_is_read() -> None:
    content = tiff(BANDS, extratags=[(42113, 2, None, "-9999", True)])

    assert read_tiff(content, name="a", count=None).nodata == -9999
    assert read_tiff(tiff(BANDS), name="a", count=None).nodata is None


def test_pages_of_other_sizes_are_refused() -> None:
    stream = BytesIO()
    with tifffile.TiffWriter(stream) as file:
        file.write(BANDS[0], metadata=None)
        file.write(BANDS[0, :5], metadata=None)

    with pytest.raises(UnreadableImageError, match="pages of sizes 7 x 5, 7 x 9"):
        read_tiff(stream.getvalue(), name="a", count=None)


def test_too_large_an_image_is_refused_by_its_header(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("understudy.data.bands.stack.MOST_BYTES", BANDS.nbytes - 1)

    with pytest.raises(UnreadableImageError, match="too large"):
        read_tiff(tiff(BANDS), name="a", count=None)


def test_what_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tifffile", None)

    with pytest.raises(MissingResourceError, match="pip install tifffile") as caught:
        read_tiff(tiff(BANDS), name="a", count=None)
    assert caught.value.exit_code == 7


@pytest.mark.skipif(not VARIANTS.exists(), reason="no ../shared/data/s2_l2a_12band")
@pytest.mark.parametrize("path", sorted(VARIANTS.glob("*.tif")), ids=lambda path: path.stem)
def test_real_images_of_twelve_bands_are_read_in_every_layout(path: Path) -> None:
    stack = read_tiff(path.read_bytes(), name=path.name, count=None)

    assert stack.values.shape == (12, 64, 64)
    assert stack.values.dtype == np.uint16
    assert 0 < stack.values.min() < stack.values.max() < 20_000, "reflectances times 10,000"
