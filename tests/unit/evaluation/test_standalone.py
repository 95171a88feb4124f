"""The script that is laid beside an exported file: nothing of ours runs in it."""

import io
import json
import re
import runpy
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from understudy.data.decode import Channels, Decoding
from understudy.evaluation import standalone_scripts
from understudy.evaluation.preparation import Preparation
from understudy.evaluation.temperature import softmax

CHANNELS: dict[Channels, int] = {"rgb": 3, "grey": 1}


def photo(width: int, height: int) -> Image.Image:
    y, x = np.mgrid[0:height, 0:width]
    waves = [128 + 100 * np.sin(x / 23 + shift) * np.cos(y / 17) for shift in (0, 1, 2)]
    return Image.fromarray(np.stack(waves, axis=-1).astype(np.uint8))


def turned() -> Image.Image:
    image = photo(70, 50)
    image.getexif()[0x0112] = 6
    return image


def transparent() -> Image.Image:
    image = photo(61, 80).convert("RGBA")
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    return image


def with_a_see_through_palette() -> Image.Image:
    image = photo(64, 64).quantize(16)
    image.info["transparency"] = 3
    return image


def deep() -> Image.Image:
    values = np.linspace(0, 65_535, 90 * 60).reshape(60, 90).astype(np.uint16)
    return Image.fromarray(values)


FILES: dict[str, tuple[Callable[[], Image.Image], str]] = {
    "jpeg": (lambda: photo(300, 200), "JPEG"),
    "large jpeg, drafted": (lambda: photo(640, 481), "JPEG"),
    "cmyk": (lambda: photo(80, 90).convert("CMYK"), "JPEG"),
    "turned": (turned, "JPEG"),
    "png": (lambda: photo(33, 47), "PNG"),
    "already small": (lambda: photo(24, 24), "PNG"),
    "tiny": (lambda: photo(5, 9), "PNG"),
    "grey": (lambda: photo(50, 50).convert("L"), "PNG"),
    "grey and alpha": (lambda: transparent().convert("LA"), "PNG"),
    "black and white": (lambda: photo(50, 40).convert("1"), "PNG"),
    "palette": (lambda: photo(50, 40).quantize(32), "PNG"),
    "palette with a hole": (with_a_see_through_palette, "PNG"),
    "transparent": (transparent, "PNG"),
    "16 bits": (deep, "PNG"),
    "16 bits tiff": (deep, "TIFF"),
    "webp": (lambda: photo(90, 60), "WEBP"),
    "gif": (lambda: photo(40, 60), "GIF"),
}
PREPARATIONS = [
    Preparation(Decoding("rgb", 24), 24),
    Preparation(Decoding("grey", 24), 24),
    Preparation(Decoding("rgb", 24), 16),
    Preparation(Decoding("rgb", None), 24),
    Preparation(Decoding("grey", None), 17),
]


def content_of(name: str) -> bytes:
    make, format = FILES[name]
    image, stream = make(), io.BytesIO()
    kept = {"exif": image.getexif()} if name == "turned" else {}
    image.save(stream, format, **kept)
    return stream.getvalue()


def model(preparation: Preparation) -> onnx.ModelProto:
    """Mean of each corner to three classes: any difference of pixels shows."""
    assert isinstance(preparation.decoding, Decoding)
    size, channels = preparation.size, CHANNELS[preparation.decoding.channels]
    weights = np.random.default_rng(0).normal(size=(size * size * channels, 3)) / 1000
    nodes = [
        helper.make_node("Cast", ["image"], ["float"], to=TensorProto.FLOAT),
        helper.make_node("Flatten", ["float"], ["flat"]),
        helper.make_node("MatMul", ["flat", "weights"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"]),
    ]
    graph = helper.make_graph(
        nodes,
        "small",
        [
            helper.make_tensor_value_info(
                "image", TensorProto.UINT8, ["batch", size, size, channels]
            )
        ],
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", 3])
            for name in ("logits", "probabilities")
        ],
        [numpy_helper.from_array(weights.astype(np.float32), "weights")],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    told = {"file": preparation.as_json(), "height": size, "width": size, "channels": channels}
    properties = {"classes": '["ant", "bee", "cat"]', "preprocessing": json.dumps(told)}
    helper.set_model_props(made, properties)
    return made


def laid_out(folder: Path, preparation: Preparation) -> Path:
    (folder / "student.onnx").write_bytes(model(preparation).SerializeToString())
    (folder / "student.int8.onnx").write_bytes(b"not the one that is meant")
    for one in standalone_scripts(with_check=True):
        shutil.copy(one, folder)
    return folder / "predict.py"


@pytest.fixture(scope="module", params=PREPARATIONS, ids=str)
def script(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Preparation, Any]]:
    """The script's own function, beside the preparation that it must repeat."""
    place = laid_out(tmp_path_factory.mktemp("script"), request.param).with_name("pixels.py")
    with pytest.MonkeyPatch.context() as patched:
        patched.syspath_prepend(place.parent)
        wanted = runpy.run_path(str(place.with_name("predict.py")), run_name="looked at")["WANTED"]
    made = runpy.run_path(str(place), run_name="looked at")["pixels"]
    yield request.param, lambda file: made(file, wanted)


@pytest.mark.parametrize("name", FILES)
def test_it_makes_the_very_pixels_that_training_made(
    name: str, script: tuple[Preparation, Any]
) -> None:
    preparation, pixels = script
    content = content_of(name)

    found = pixels(io.BytesIO(content))

    wanted = (preparation.prepared(content, name=name) * 255).round().numpy().astype(np.uint8)
    off = np.abs(found.astype(int) - wanted.transpose(1, 2, 0))
    resized_once = preparation.decoding.size == preparation.size
    assert off.max() <= (0 if resized_once else 1)  # two roundings in place of one


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with onnxruntime, numpy, pillow and what these need, and nothing else."""
    place = tmp_path_factory.mktemp("bare")
    wanted, done = ["onnxruntime", "numpy", "pillow"], set[str]()
    while wanted:
        package = wanted.pop()
        if package in done:
            continue
        done.add(package)
        found = metadata.distribution(package)
        for file in found.files or ():
            top = file.parts[0]
            if top in ("..", "__pycache__") or (place / top).exists():
                continue
            (place / top).symlink_to(Path(str(found.locate_file(top))))
        needed = [one for one in found.requires or () if "extra ==" not in one]
        wanted += [re.split(r"[ <>=!~;\[(]", one)[0] for one in needed]
    return place


def run_bare(bare: Path, script: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Runs a script with that folder and the standard library alone."""
    code = (
        "import runpy, sys; from os.path import dirname; sys.path.append(sys.argv[1]);"
        "sys.argv = sys.argv[2:]; sys.path.insert(0, dirname(sys.argv[0]));"  # as python does
        "runpy.run_path(sys.argv[0], run_name='__main__')"
    )
    return subprocess.run(
        [sys.executable, "-I", "-S", "-c", code, str(bare), str(script), *words],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("package", ["torch", "understudy", "onnx", "scipy"])
def test_the_bare_folder_lacks_everything_else(bare: Path, package: str, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(f"import numpy, PIL, onnxruntime, {package}")

    done = run_bare(bare, tmp_path / "a.py")

    assert f"No module named '{package}'" in done.stderr


def golden(folder: Path, preparation: Preparation) -> dict[str, NDArray[Any]]:
    """What an export lays beside its file, for the hand-made model."""
    names = ["jpeg", "png", "transparent"]
    rows = [preparation.prepared(content_of(name), name=name) for name in names]
    pixels = np.stack([(row * 255).round().numpy().astype(np.uint8) for row in rows])
    weights = numpy_helper.to_array(model(preparation).graph.initializer[0])
    logits = pixels.transpose(0, 2, 3, 1).reshape(3, -1).astype(np.float32) @ weights
    arrays: dict[str, NDArray[Any]] = {
        "pixels": pixels.transpose(0, 2, 3, 1),
        "logits": logits,
        "probabilities": softmax(logits, temperature=1.0).astype(np.float32),
        "names": np.array(names),
        "files": np.array([0, 2]),
        "file_0": np.frombuffer(content_of("jpeg"), np.uint8),
        "file_1": np.frombuffer(content_of("transparent"), np.uint8),
    }
    np.savez(folder / "golden.npz", **arrays)  # type: ignore[arg-type]
    return arrays


def test_g10_it_answers_and_checks_where_nothing_of_ours_is_installed(
    bare: Path, tmp_path: Path
) -> None:
    script = laid_out(tmp_path, PREPARATIONS[2])
    golden(tmp_path, PREPARATIONS[2])
    (tmp_path / "a photo.jpg").write_bytes(content_of("jpeg"))

    checked = run_bare(bare, script.with_name("check.py"))
    answered = run_bare(bare, script, str(tmp_path / "a photo.jpg"))

    assert (checked.returncode, checked.stderr) == (0, "")
    assert checked.stdout == "student.onnx: as it was when it was exported\n"
    assert (answered.returncode, answered.stderr) == (0, "")
    assert re.fullmatch(r".*a photo\.jpg(  (ant|bee|cat) \d+\.\d%){3}\n", answered.stdout)


@pytest.mark.parametrize("changed", ["logits", "probabilities", "pixels", "file_1"])
def test_g2_a_difference_in_answers_or_in_preprocessing_fails_the_check(
    changed: str, bare: Path, tmp_path: Path
) -> None:
    script = laid_out(tmp_path, PREPARATIONS[0])
    arrays = golden(tmp_path, PREPARATIONS[0])
    if changed == "file_1":  # the same photograph, upside down
        stream = io.BytesIO()
        Image.open(io.BytesIO(content_of("transparent"))).rotate(180).save(stream, "PNG")
        arrays["file_1"] = np.frombuffer(stream.getvalue(), np.uint8)
    else:
        arrays[changed] = arrays[changed][::-1].copy()
    np.savez(tmp_path / "golden.npz", **arrays)  # type: ignore[arg-type]

    done = run_bare(bare, script.with_name("check.py"))

    assert done.returncode == 1
    assert re.search("differ by up to|does not become", done.stderr)


def test_a_file_that_is_no_image_is_named_and_the_others_are_answered(
    bare: Path, tmp_path: Path
) -> None:
    script = laid_out(tmp_path, PREPARATIONS[2])
    (tmp_path / "good.jpg").write_bytes(content_of("jpeg"))
    (tmp_path / "bad.jpg").write_bytes(b"<html>")
    names = [str(tmp_path / name) for name in ("bad.jpg", "absent.jpg", "good.jpg")]

    done = run_bare(bare, script, *names)

    assert done.returncode == 1
    assert [line.split("  ")[0] for line in done.stdout.splitlines()] == names[2:]
    assert [line.split("  ")[0] for line in done.stderr.splitlines()] == names[:2]


def test_without_words_it_says_how_it_is_used(bare: Path, tmp_path: Path) -> None:
    done = run_bare(bare, laid_out(tmp_path, PREPARATIONS[0]))

    assert done.returncode == 1
    assert done.stderr.startswith("python predict.py PHOTO")


def test_it_is_short_and_uses_what_it_says() -> None:
    texts = {path.name: path.read_text() for path in standalone_scripts(with_check=True)}

    assert len(texts["predict.py"].splitlines()) <= 35
    imported = set(re.findall(r"^(?:import|from) (\w+)", "\n".join(texts.values()), re.MULTILINE))
    own = {name.removesuffix(".py") for name in texts}
    assert imported - set(sys.stdlib_module_names) - own == {"numpy", "onnxruntime", "PIL"}
