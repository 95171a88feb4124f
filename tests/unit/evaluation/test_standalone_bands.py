"""The script beside an exported file of bands makes the very pixels that training made."""

import io
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.rasters import LAYOUTS, bands, npy, npz, tiff

from understudy.core.errors import UsageError
from understudy.core.numbers import Numbers
from understudy.data.bands.decoding import BandDecoding
from understudy.data.decode import UnreadableImageError
from understudy.data.views import as_pixels
from understudy.evaluation import standalone_scripts
from understudy.evaluation.preparation import Preparation, preparation_of

NAMES = ("B02", "B03", "B04", "B08")
BANDS = bands(4, height=20, width=14)
FLOATS = (BANDS / 10_000).astype(np.float32)
FILES: dict[str, bytes] = {
    **{str(layout): tiff(BANDS, layout) for layout in LAYOUTS},
    "packed": tiff(BANDS, "planar", compression="zlib"),
    "eight bits": tiff(bands(4, height=20, width=14, most=255).astype(np.uint8)),
    "floats": tiff(FLOATS),
    "npy": npy(BANDS),
    "npy, bands last": npy(np.moveaxis(BANDS, 0, 2)),
    "npz": npz(image=BANDS),
    "npz, an array for each": npz(**dict(zip(NAMES, BANDS, strict=True))),
}


def script(file: Any, preparation: Preparation, depth: str) -> NDArray[Any]:
    place = standalone_scripts(with_check=False, of_bands=True)[1]
    made = runpy.run_path(str(place), run_name="looked at")["pixels"]
    wanted = {"file": preparation.as_json(), "height": preparation.size, "input": {"type": depth}}
    found: NDArray[Any] = made(file, wanted)
    return found


@pytest.mark.parametrize(("first", "size"), [(12, 12), (None, 14), (12, 8), (None, 9)])
@pytest.mark.parametrize("name", FILES)
def test_the_script_makes_the_very_pixels(name: str, first: int | None, size: int) -> None:
    decoding = BandDecoding(bands=("B04", "B02"), names=NAMES, size=first)
    preparation = Preparation(decoding, size)
    depth: Any = "uint8" if name == "eight bits" else "uint16"

    found = script(io.BytesIO(FILES[name]), preparation, depth)

    wanted = as_pixels(preparation.prepared(FILES[name], name=name), depth).numpy()
    off = np.abs(found.astype(int) - wanted.transpose(1, 2, 0).astype(int))
    resized_once = first == size or (first is None and size == 14)
    assert found.dtype == depth
    assert off.max() <= (0 if resized_once and name != "floats" else 1), "two roundings, or floats"


@pytest.mark.parametrize("mark", [None, 5.0])
def test_the_script_refuses_what_training_refused(mark: float | None) -> None:
    spoiled = FLOATS.copy()
    spoiled[0, 0, 0] = np.nan if mark is None else mark
    decoding = BandDecoding(bands=NAMES, names=NAMES, nodata=mark, white=9.0)

    with pytest.raises(ValueError, match=r"values outside 0 to 9\.0|marks that there are no data"):
        script(io.BytesIO(tiff(spoiled)), Preparation(decoding, 14), "uint16")


def test_the_script_believes_the_file_on_what_marks_no_data() -> None:
    holed = BANDS.copy()
    holed[1, 0, 0] = 0
    content = tiff(holed, extratags=[(42113, 2, None, "0", True)])
    told = BandDecoding(bands=NAMES, names=NAMES)

    with pytest.raises(ValueError, match="marks that there are no data"):
        script(io.BytesIO(content), Preparation(told, 14), "uint16")
    careless = Preparation(told._replace(nodata="ignore"), 14)
    assert script(io.BytesIO(content), careless, "uint16").shape == (14, 14, 4)


def test_the_script_reads_a_folder_and_nothing_that_lies_beside_its_bands(tmp_path: Path) -> None:
    for name, band in zip(NAMES, BANDS, strict=True):
        (tmp_path / f"p_{name}.tif").write_bytes(tiff(band[None], "pages"))
        for other in ("tfw", "tif.aux.xml", "json"):  # as geographic programs leave them
            (tmp_path / f"p_{name}.{other}").write_text("0.5")
    decoding = BandDecoding(bands=("B04", "B02"), apart=True)

    found = script(tmp_path, Preparation(decoding, 14), "uint16")

    wanted = BANDS[[2, 0], 3:17].transpose(1, 2, 0)
    assert np.array_equal(found, wanted)


def test_an_exported_file_says_all_of_it_and_is_believed_only_where_it_fits() -> None:
    decoding = BandDecoding(bands=("a", "b"), names=("b", "a"), size=8, white=2.0, nodata="ignore")
    told = Preparation(decoding, 8).as_json()

    assert preparation_of(told, size=8, channels=2, origin="x").decoding == decoding
    for broken in (
        {**told, "bands": []},
        {**told, "bands": ["a"]},
        {**told, "size": 10**9},
        {**told, "conversion": 2},
        {**told, "further": 1},
        {key: value for key, value in told.items() if key != "white"},
    ):
        with pytest.raises(UsageError, match="does not say how image"):
            preparation_of(broken, size=8, channels=2, origin=Path("x.onnx"))


WHOLE = Numbers(kind="whole", white=65_535)


@pytest.mark.parametrize(
    ("name", "settings", "numbers"),
    [
        ("planar", {}, WHOLE),
        ("eight bits", {}, Numbers(kind="whole", white=255)),
        ("floats", {}, Numbers(kind="float", white=1)),
        ("npz", {"scale": 1e-4, "white": 2.0}, Numbers(kind="whole", white=2)),
        ("floats", {"scale": 1e4, "white": 65_535.0}, Numbers(kind="float", white=65_535)),
        ("eight bits", {"scale": 1 / 255}, Numbers(kind="whole", white=1)),
    ],
)
def test_the_script_scales_as_training_did_and_refuses_what_it_refuses(
    name: str, settings: dict[str, Any], numbers: Numbers
) -> None:
    decoding = BandDecoding(bands=("B04", "B02"), names=NAMES, size=12, **settings)
    preparation = Preparation(decoding, 12, numbers)
    depth: Any = "uint8" if numbers.white == 255 else "uint16"
    shown = {kind: FILES[kind] for kind in ("planar", "eight bits", "floats")}

    found = script(io.BytesIO(FILES[name]), preparation, depth)

    wanted = as_pixels(preparation.prepared(FILES[name], name=name), depth).numpy()
    assert np.abs(found.astype(int) - wanted.transpose(1, 2, 0).astype(int)).max() <= 1
    for kind, content in shown.items():
        read = decoding.numbers_of(
            np.dtype({"planar": "u2", "eight bits": "u1", "floats": "f4"}[kind])
        )
        if read == numbers:
            continue
        with pytest.raises(UnreadableImageError, match="the model learned from"):
            preparation.prepared(content, name=kind)
        with pytest.raises(ValueError, match="the model learned from"):
            script(io.BytesIO(content), preparation, depth)
