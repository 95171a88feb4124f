from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.packs import open_pack
from tests.rasters import SIDES, bands, patch, tiff

from understudy.core.errors import DataError, UsageError
from understudy.core.numbers import Numbers
from understudy.data.pack import Pack
from understudy.data.sources.named import named_images
from understudy.data.sources.patches import PatchesSettings

REAL = Path(__file__).parents[5] / "shared" / "data" / "bigearthnet_s2_example"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    place = tmp_path / "patches"
    for number in range(4):
        patch(place, f"S2A_0_{number}", "Rice fields", "Pastures", seed=10 * number)
        patch(place, f"S2A_1_{number}", "Pastures", seed=10 * number + 400)
    patch(place, "S2B_2_0", seed=900)
    return place


def settings(root: Path, **more: Any) -> PatchesSettings:
    return PatchesSettings.model_validate({"path": root, **more})


def opened(root: Path, **more: Any) -> Pack:
    return open_pack(settings(root, **more), shared=root.parent / "shared")


def test_a_folder_is_one_image_on_the_grid_of_its_finest_band(root: Path) -> None:
    pack = opened(root, bands=["B03", "B01"])

    assert pack.images.shape == (9, 2, 24, 24)
    assert pack.depth == "uint16"
    place = pack.names.index("S2A_0_2")
    np.testing.assert_array_equal(pack.images[place, 0], bands(1, height=24, width=24, seed=21)[0])


def test_a_patch_has_all_its_labels_or_nobody_knows_them(root: Path) -> None:
    pack = opened(root)

    told = dict(zip(pack.names, pack.label_sets, strict=True))
    assert pack.tags == ("Pastures", "Rice fields")
    assert told["S2A_0_0"] == ("Pastures", "Rice fields")
    assert told["S2A_1_0"] == ("Pastures",)
    assert told["S2B_2_0"] is None
    assert (pack.classes, set(pack.labels.tolist())) == ((), {-1})


def test_other_labels_are_other_images(root: Path) -> None:
    before = opened(root).key
    (root / "S2A_1_0" / "S2A_1_0_labels_metadata.json").write_text('{"labels": ["Rice fields"]}')

    assert opened(root).key != before


def test_folders_above_are_splits(tmp_path: Path) -> None:
    for split, count in (("train", 3), ("val", 2), ("test", 2), ("unlabeled", 1)):
        for number in range(count):
            patch(tmp_path / "p", f"{split}/a_{number}", "Rice fields", seed=number)
            patch(tmp_path / "p", f"{split}/b_{number}", "Pastures", seed=number + 50)

    pack = opened(tmp_path / "p")

    counts = {name: pack.given.count(name) for name in set(pack.given)}
    assert counts == {"train": 6, "val": 4, "test": 4, "unlabeled": 2}


def test_a_patch_that_lacks_a_band_is_refused_by_name(root: Path) -> None:
    patch(root, "S2A_3_0", "Pastures", without="B05", seed=700)

    with pytest.raises(DataError, match=r"S2A_3_0: other bands .*lacks B05"):
        opened(root)
    assert len(opened(root, bands=["B02"]).names) == 10, "who does not want it need not have it"


def test_damaged_labels_are_told_and_no_patch_is_called_unlabeled_for_them(root: Path) -> None:
    (root / "S2A_1_0" / "S2A_1_0_labels_metadata.json").write_text('{"labels": "Pastures"}')
    (root / "S2A_1_1" / "S2A_1_1_labels_metadata.json").write_text("{")

    with pytest.raises(DataError, match="2 patches have labels that cannot be read"):
        opened(root)


def test_bands_that_are_not_wanted_change_no_key(root: Path) -> None:
    before = opened(root, bands=["B02"]).key
    (root / "S2A_0_0" / "S2A_0_0_B05.tif").write_bytes(b"other")

    assert opened(root, bands=["B02"]).key == before
    (root / "S2A_0_0" / "S2A_0_0_B02.tif").write_bytes(
        tiff(bands(1, height=24, width=24, seed=5), "pages")
    )
    assert opened(root, bands=["B02"]).key != before


def test_files_that_belong_to_no_patch_are_counted(root: Path) -> None:
    (root / "overview.tif").write_bytes(b"")
    (root / "lists").mkdir()
    (root / "lists" / "train.json").write_text("{}")

    ignored = settings(root).survey().ignored

    assert ignored["TIFF whose name tells no band (..._B02.tif)"] == 1
    assert ignored["JSON file beside no band"] == 1


def test_patches_that_share_a_folder_are_not_taken_for_one(root: Path) -> None:
    for file in (root / "S2A_0_1").glob("*.tif"):
        file.rename(root / "S2A_0_0" / file.name)

    with pytest.raises(DataError, match="several files of B01; a folder"):
        opened(root)


def test_patches_are_named_for_a_model_by_their_folders(root: Path) -> None:
    one, all_ = named_images([root / "S2A_0_1"], apart=True), named_images([root], apart=True)

    assert [image.name for image in one.images] == [str(root / "S2A_0_1")]
    assert len(all_.images) == 9
    content = one.images[0].content()
    assert isinstance(content, tuple)
    assert [name for name, _ in content] == sorted(SIDES)


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"bands": None}, "patches have nothing else"),
        ({"unlabeled": "x"}, "put patches without labels into"),
        ({"band_names": ["a"]}, "the names of the files tell"),
    ],
)
def test_settings_that_mean_nothing_here_are_refused(
    root: Path, more: dict[str, Any], told: str
) -> None:
    with pytest.raises(ValueError, match=told):
        settings(root, **more)


def test_a_band_that_no_patch_has_is_told(root: Path) -> None:
    with pytest.raises(UsageError, match="has B99; their bands are B01, B02, B03, B05"):
        opened(root, bands=["B99"])


@pytest.mark.skipif(not REAL.exists(), reason="no ../shared/data/bigearthnet_s2_example")
def test_real_patches_become_one_grid_with_their_labels(tmp_path: Path) -> None:
    source = PatchesSettings.model_validate({"path": REAL, "bands": ["B04", "B05", "B09"]})

    pack = open_pack(source, shared=tmp_path)

    assert pack.images.shape == (6, 3, 120, 120)
    assert sum("Non-irrigated arable land" in (own or ()) for own in pack.label_sets) == 3


def test_the_numbers_are_those_of_the_wanted_bands_whatever_lies_beside_them(root: Path) -> None:
    for number, place in enumerate(sorted(root.iterdir())):
        for name, kind in (("B04", np.uint16), ("SCL", np.uint8), ("B8A", np.float32)):
            values = bands(1, height=24, width=24, seed=number, most=200).astype(kind)
            (place / f"{place.name}_{name}.tif").write_bytes(tiff(values, "pages"))
    whole = Numbers(kind="whole", white=65_535)

    assert opened(root, bands=["B04", "B03"]).numbers == whole
    assert opened(root, bands=["SCL"]).numbers == Numbers(kind="whole", white=255)
    assert opened(root, bands="rgb").numbers is None, "all are read, and either may be meant"
    for place in root.rglob("*_B8A.tif"):
        place.unlink()
    assert opened(root, bands="rgb").numbers == whole, "8 bits would have stayed 8 bits"
