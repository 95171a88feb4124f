import pickle
import struct
import zipfile
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.rasters import bands, npy, npz

from understudy.data.bands.arrays import read_archive, read_array
from understudy.data.bands.stack import MOST_BYTES
from understudy.data.decode import UnreadableImageError

BANDS = bands(4)


@pytest.mark.parametrize(
    "values", [BANDS, np.moveaxis(BANDS, 0, 2), np.asfortranarray(BANDS)], ids=["chw", "hwc", "F"]
)
def test_the_bands_axis_is_the_smallest(values: NDArray[Any]) -> None:
    stack = read_array(npy(values), name="a", count=None)

    assert np.array_equal(stack.values, BANDS)


def test_the_number_of_bands_decides_where_their_axis_is_not_the_smallest() -> None:
    many = bands(12, height=9, width=9)

    stack = read_array(npy(np.moveaxis(many, 0, 2)), name="a", count=12)

    assert np.array_equal(stack.values, many)


@pytest.mark.parametrize("shape", [(4, 9, 4), (5, 5, 5), (9, 4, 9), (3, 4, 5, 6), (7,), ()])
def test_an_array_of_which_nothing_tells_the_axes_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(UnreadableImageError, match="unsupported"):
        read_array(npy(np.zeros(shape)), name="a", count=None)


def test_one_array_for_each_band_is_known_by_its_name() -> None:
    stack = read_archive(npz(B04=BANDS[0], B03=BANDS[1]), name="a", count=None)

    assert stack.names == ("B04", "B03")
    assert np.array_equal(stack.values, BANDS[:2])


def test_an_archive_of_one_array_is_that_array() -> None:
    assert np.array_equal(read_archive(npz(image=BANDS), name="a", count=None).values, BANDS)


@pytest.mark.parametrize("arrays", [{"a": BANDS, "b": BANDS[0]}, {"a": BANDS, "b": BANDS}])
def test_an_archive_of_other_arrays_is_refused(arrays: dict[str, NDArray[Any]]) -> None:
    with pytest.raises(UnreadableImageError, match="one of all bands, or one for each"):
        read_archive(npz(**arrays), name="a", count=None)


class _Trap:
    sprung = False

    def __reduce__(self) -> tuple[Any, ...]:
        return (_spring, ())


def _spring() -> None:
    _Trap.sprung = True


def test_no_pickle_is_opened() -> None:
    objects = np.array([_Trap()], dtype=object)
    stream = BytesIO()
    np.save(stream, objects, allow_pickle=True)
    archive = BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("image.npy", stream.getvalue())
        file.writestr("other.npy", pickle.dumps(_Trap()))

    with pytest.raises(UnreadableImageError, match="pickle"):
        read_array(stream.getvalue(), name="a", count=None)
    with pytest.raises(UnreadableImageError):
        read_archive(archive.getvalue(), name="a", count=None)
    assert not _Trap.sprung


def test_an_array_that_claims_more_than_the_file_holds_takes_no_memory() -> None:
    header = f"{{'descr': '<u2', 'fortran_order': False, 'shape': (12, {10**9}, {10**9}), }}\n"
    content = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode()

    with pytest.raises(UnreadableImageError, match="damaged"):
        read_array(content, name="a", count=None)


def test_an_archive_that_unpacks_to_too_much_is_refused_unopened(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert MOST_BYTES >= 1 << 30
    monkeypatch.setattr("understudy.data.bands.arrays.MOST_BYTES", 400)

    with pytest.raises(UnreadableImageError, match="unpacks to"):
        read_archive(npz(image=BANDS), name="a", count=None)
