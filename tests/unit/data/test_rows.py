import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.core.errors import StorageError
from understudy.data.rows import RowWriter


@given(count=st.integers(1, 12), shape=st.tuples(st.integers(1, 3), st.just(2), st.just(5)))
def test_what_is_written_row_by_row_is_read_as_one_array(
    tmp_path_factory: pytest.TempPathFactory, count: int, shape: tuple[int, int, int]
) -> None:
    path = tmp_path_factory.mktemp("rows") / "images.npy"
    images = np.random.default_rng(0).integers(0, 256, (count, *shape), dtype=np.uint8)

    with RowWriter(path, most=100) as rows:
        for image in images:
            rows.append(image)
        rows.finish()

    np.testing.assert_array_equal(np.load(path, mmap_mode="r", allow_pickle=False), images)


def test_fewer_rows_than_announced_leave_no_room_behind(tmp_path: Path) -> None:
    with RowWriter(tmp_path / "a.npy", most=1_000_000) as rows:
        rows.append(np.zeros((1, 2, 2), dtype=np.uint8))
        rows.finish()

    np.save(tmp_path / "b.npy", np.zeros((1, 1, 2, 2), dtype=np.uint8))
    assert (tmp_path / "a.npy").stat().st_size == (tmp_path / "b.npy").stat().st_size


def test_an_unfinished_file_is_not_taken_for_a_whole_one(tmp_path: Path) -> None:
    with RowWriter(tmp_path / "a.npy", most=2) as rows:
        rows.append(np.ones((1, 2, 2), dtype=np.uint8))

    assert len(np.load(tmp_path / "a.npy")) == 0


def test_rows_of_another_shape_are_refused(tmp_path: Path) -> None:
    with RowWriter(tmp_path / "a.npy", most=2) as rows:
        rows.append(np.ones((1, 2, 2), dtype=np.uint8))

        with pytest.raises(ValueError, match="among those of"):
            rows.append(np.ones((1, 4, 1), dtype=np.uint8))


def test_too_small_a_disk_is_refused_before_the_first_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = shutil.disk_usage(tmp_path)._replace(free=10**9)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: free)

    with (
        RowWriter(tmp_path / "a.npy", most=10**9) as rows,
        pytest.raises(StorageError, match=r"need 4\.0 GB, and 1\.0 GB are free.*data\.size"),
    ):
        rows.append(np.ones((1, 2, 2), dtype=np.uint8))

    assert (tmp_path / "a.npy").stat().st_size == 0


def test_images_of_sixteen_bits_are_kept_and_do_not_mix_with_others(tmp_path: Path) -> None:
    deep = np.arange(8, dtype=np.uint16).reshape(2, 2, 2) * 9_000

    with RowWriter(tmp_path / "a.npy", most=3) as rows:
        rows.append(deep)
        rows.append(deep + 1)
        with pytest.raises(ValueError, match="among those of"):
            rows.append(deep.astype(np.uint8))
        rows.finish()

    found = np.load(tmp_path / "a.npy", mmap_mode="r", allow_pickle=False)
    assert found.dtype == np.uint16
    np.testing.assert_array_equal(found, [deep, deep + 1])
