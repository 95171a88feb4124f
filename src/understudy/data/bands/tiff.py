"""Bands in a TIFF: planar, interleaved, or one page for each; tifffile reads all three."""

import io
from types import ModuleType
from typing import Any

import numpy as np

from understudy.core.errors import MissingResourceError
from understudy.data.bands.names import distinct, of_gdal, of_words
from understudy.data.bands.stack import Stack, bands_first, must_be_small_enough
from understudy.data.decode import UnreadableImageError

BEGINNINGS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")  # TIFF 6.0 and BigTIFF, both byte orders
_DESCRIPTION, _PAGE_NAME = 270, 285  # the tags' numbers in the TIFF 6.0 specification
_GDAL_METADATA, _GDAL_NODATA = 42112, 42113  # the numbers under which GDAL registered its tags
_NEEDS_CODECS = "requires the 'imagecodecs' package"  # tifffile's own words


def read_tiff(content: bytes, *, name: str, count: int | None) -> Stack:
    """The bands of a TIFF, in the order of the file; overviews and masks are none.

    Raises:
        UnreadableImageError: Its pages do not fit together.
        MissingResourceError: tifffile is not here, or the codec that the file is packed with.
    """
    with _tifffile().TiffFile(io.BytesIO(content)) as file:
        pages = [page for page in file.pages if not (page.is_reduced or page.is_mask)]
        sizes = {(page.imagelength, page.imagewidth) for page in pages}
        if len(sizes) != 1:
            found = ", ".join(f"{width} x {height}" for height, width in sorted(sizes))
            raise UnreadableImageError(name, "unsupported", f"pages of sizes {found or 'none'}")
        ((height, width),) = sizes
        each = max(page.dtype.itemsize if page.dtype else 1 for page in pages)
        bands = sum(page.samplesperpixel for page in pages)
        must_be_small_enough(name, bands=bands, height=height, width=width, bytes_each=each)
        try:
            arrays = [
                bands_first(page.asarray(), name=name, count=count, axes=page.axes)
                for page in pages
            ]
        except ValueError as error:
            if _NEEDS_CODECS in str(error):
                raise MissingResourceError(_codecs(name, pages[0])) from error
            raise
        types = {array.dtype for array in arrays}
        if len(types) != 1:
            found = ", ".join(sorted(kind.name for kind in types))
            raise UnreadableImageError(name, "unsupported", f"pages of types {found}")
        values = np.concatenate(arrays)
        return Stack(values, _names(pages, len(values)), _nodata(pages[0]), "TIFF")


def _tifffile() -> ModuleType:
    try:
        import tifffile  # a fifth of a second that photographs need not wait
    except ImportError as error:
        raise MissingResourceError(
            f"Bands of a TIFF are read with tifffile, which cannot be loaded ({error}): "
            "`pip install tifffile`."
        ) from error
    module: ModuleType = tifffile
    return module


def _codecs(name: str, page: Any) -> str:
    return (
        f"{name}: its pixels are packed as {page.compression.name}, which takes imagecodecs to "
        "read: `pip install imagecodecs`."
    )


def _names(pages: list[Any], count: int) -> tuple[str, ...]:
    """As GDAL writes them, as words of the description, or as the pages are called."""
    first = pages[0]
    of_pages = [_text(page, _PAGE_NAME) or _text(page, _DESCRIPTION) for page in pages]
    return (
        of_gdal(_text(first, _GDAL_METADATA), count)
        or of_words(_text(first, _DESCRIPTION), count)
        or distinct([text if " " not in text else "" for text in of_pages], count)
    )


def _nodata(page: Any) -> float | None:
    try:
        return float(_text(page, _GDAL_NODATA))
    except ValueError:
        return None


def _text(page: Any, number: int) -> str:
    tag = page.tags.get(number)
    return tag.value.strip(" \0") if tag is not None and isinstance(tag.value, str) else ""
