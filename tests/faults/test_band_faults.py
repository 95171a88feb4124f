"""Fault B13: bands that are missing, too many, mixed, or have no data, told in a table."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.packs import open_pack
from tests.rasters import bands, class_folders, npy, tiff

from understudy.core.errors import DataError, MissingResourceError, UsageError
from understudy.data.pack import Pack
from understudy.data.sources.folder import FolderSettings
from understudy.data.splits import SplitSettings, split

NAMES = "B02 B03 B04 B08"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return class_folders(tmp_path / "images")


def opened(folder: Path, **settings: Any) -> Pack:
    source = FolderSettings.model_validate({"path": folder, "bands": "all", **settings})
    return open_pack(source, shared=folder.parent / "shared")


def refusal(folder: Path, **settings: Any) -> str:
    with pytest.raises(DataError) as caught:
        opened(folder, **settings)
    message = str(caught.value)
    assert len(message.splitlines()) <= 24, "a message fits on one screen"
    return message


def test_good_bands_are_packed_by_name_in_sixteen_bits(folder: Path) -> None:
    pack = opened(folder, bands=["B04", "B02"])

    assert pack.bands == ("B04", "B02")
    assert pack.depth == "uint16"
    expected = bands(4, height=18, width=18, seed=0, most=1000)[[2, 0]]
    np.testing.assert_array_equal(pack.images[pack.names.index("train/class0/0.tif")], expected)


def test_another_choice_of_bands_is_another_pack(folder: Path) -> None:
    keys = {
        opened(folder, **settings).key
        for settings in (
            {},
            {"bands": ["B04", "B02"]},
            {"bands": ["B02", "B04"]},
            {"bands": "rgb"},
            {"nodata": 60_000.0},
        )
    }

    assert len(keys) == 5


def test_statistics_are_those_of_the_chosen_images_to_the_last_digit(folder: Path) -> None:
    """Squares of 16 bits do not fit into 32 of a sum: the oracle is in floats of 64."""
    pack = opened(folder)
    chosen = split(pack, SplitSettings()).train

    mean, std = pack.mean_std(chosen)

    values = pack.images[chosen].astype(np.float64) / 65_535
    np.testing.assert_allclose(mean, values.mean(axis=(0, 2, 3)), rtol=1e-12)
    np.testing.assert_allclose(std, values.std(axis=(0, 2, 3)), rtol=1e-9)


def test_bright_bands_do_not_overflow_the_sums(folder: Path) -> None:
    full = np.full((40, 1, 64, 64), 65_535, dtype=np.uint16)
    full[::2] = 65_533
    pack = opened(folder)._replace(images=full)

    mean, std = pack.mean_std(np.arange(40))

    assert mean == [65_534 / 65_535]
    assert std[0] == pytest.approx(1 / 65_535)


def test_mixed_numbers_of_bands_are_told_in_a_table(folder: Path) -> None:
    for number in range(2):
        odd = tiff(bands(3, height=18, width=18), description="B02 B03 B04")
        (folder / f"train/class1/{number}.tif").write_bytes(odd)

    message = refusal(folder)

    assert "2 of 36 images cannot give the 4 bands B02, B03, B04, B08. What was found:" in message
    rows = [line.split() for line in message.splitlines()]
    assert ["found", "images", "read", "as", "such", "as"] in rows
    assert ["uint16", "in", "4", "bands", "34", "read", "train/class0/0.tif"] in rows
    assert ["uint16", "in", "3", "bands", "2", "other", "bands", "train/class1/0.tif"] in rows
    assert (
        "train/class1/0.tif: other bands (uint16 in 3 bands: B02, B03, B04; lacks B08)" in message
    )


def test_names_for_another_number_of_bands_are_told_in_a_table(folder: Path) -> None:
    message = refusal(folder, band_names=["a", "b", "c"])

    assert "36 of 36 images cannot give the 3 bands a, b, c" in message
    assert "uint16 in 4 bands; `data.band_names` names 3" in message


def test_the_bands_that_all_images_have_serve(folder: Path) -> None:
    odd = tiff(bands(3, height=18, width=18), description="B04 B03 B02")
    (folder / "train/class1/0.tif").write_bytes(odd)

    pack = opened(folder, bands=["B02", "B03"])

    place = pack.names.index("train/class1/0.tif")
    np.testing.assert_array_equal(
        pack.images[place], bands(3, height=18, width=18)[[2, 1]], "picked by name, not by place"
    )


def test_pixels_without_data_and_no_numbers_are_told_together(folder: Path) -> None:
    hole = bands(4, height=18, width=18)
    hole[1, 3, 3] = 0
    marked = tiff(hole, description=NAMES, extratags=[(42113, 2, None, "0", True)])
    (folder / "train/class0/0.tif").write_bytes(marked)
    floats = (bands(4, height=18, width=18) / 20_000).astype(np.float32)
    floats[2, :, 0] = np.nan
    (folder / "test/class2/1.tif").write_bytes(tiff(floats, description=NAMES))

    message = refusal(folder)

    assert "cannot read 2 labelled images" in message
    assert "train/class0/0.tif: nodata (value 0: 1 of B03, 324 pixels each)" in message
    assert "test/class2/1.tif: not a number (18 of B04, 324 pixels each)" in message
    assert "float32 in 4 bands       1  not a number  test/class2/1.tif" in message


def test_pixels_of_several_depths_do_not_go_together(folder: Path) -> None:
    shallow = bands(4, height=18, width=18, most=255).astype(np.uint8)
    (folder / "train/class0/0.tif").write_bytes(tiff(shallow, description=NAMES))

    assert "pixels of uint16 and uint8 do not go together" in refusal(folder)


def test_one_bad_image_in_a_hundred_without_labels_is_skipped_and_counted(folder: Path) -> None:
    (folder / "unlabeled").mkdir()
    for number in range(100):
        content = tiff(bands(4, height=18, width=18, seed=number), description=NAMES)
        (folder / f"unlabeled/{number}.tif").write_bytes(content)
    (folder / "unlabeled/42.tif").write_bytes(tiff(bands(2, height=18, width=18)))

    assert opened(folder).skipped == {"unlabeled image: other bands": 1}


def test_arrays_are_images_only_where_bands_are_asked_for(folder: Path) -> None:
    for number in range(3):
        content = npy(bands(4, height=18, width=18, seed=50 + number))
        (folder / f"train/class0/array{number}.npy").write_bytes(content)

    pack = opened(folder, band_names=NAMES.split())

    assert "train/class0/array1.npy" in pack.names
    with pytest.raises(DataError, match=r"data\.bands=all"):
        open_pack(FolderSettings(path=folder), shared=folder.parent / "shared")


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"bands": None, "nodata": 0.0}, "nodata: of bands; set `bands` as well"),
        ({"channels": "grey"}, "channels: of photographs"),
        ({"bands": ["B02", "B02"]}, "none twice"),
        ({"bands": []}, "at least one band"),
        ({"bands": ["x"], "band_names": ["a"]}, "x not among `band_names`"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(
    folder: Path, settings: dict[str, Any], told: str
) -> None:
    with pytest.raises(ValueError, match=told):
        FolderSettings.model_validate({"path": folder, "bands": "all", **settings})


def test_bands_may_be_named_by_numbers(folder: Path) -> None:
    assert FolderSettings.model_validate({"path": folder, "bands": [4, 3]}).bands == ("4", "3")


def test_a_name_that_no_image_has_is_a_mistake_of_usage(folder: Path) -> None:
    with pytest.raises(UsageError, match="has B09; their bands are B02, B03, B04, B08"):
        opened(folder, bands=["B09"])


@pytest.mark.skipif(bool(find_spec("imagecodecs")), reason="imagecodecs is here")
def test_a_missing_codec_stops_with_its_name(folder: Path) -> None:
    image = Image.fromarray(np.zeros((18, 18), dtype=np.uint8))
    image.save(folder / "train/class0/0.tif", compression="tiff_lzw")

    with pytest.raises(MissingResourceError, match="pip install imagecodecs") as caught:
        opened(folder)
    assert caught.value.exit_code == 7
