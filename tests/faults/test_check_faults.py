"""Part B of the fault catalogue through `understudy check-data`: all of it, at once, by name."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.pngs import png_claiming

from understudy.cli import main

DATA = Path(__file__).parents[3] / "shared" / "data"


def picture(seed: int, side: int = 48) -> Image.Image:
    """A picture with shapes, unlike all others."""
    random = np.random.default_rng(seed)
    coarse = random.integers(0, 256, (6, 6, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((side, side), Image.Resampling.BICUBIC)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two classes of forty training and thirty test images, and a hundred without labels."""
    monkeypatch.chdir(tmp_path)
    counts = {"train/cat": 40, "train/dog": 40, "test/cat": 30, "test/dog": 30, "unlabeled": 100}
    seed = 0
    for name, count in counts.items():
        (tmp_path / "images" / name).mkdir(parents=True)
        for number in range(count):
            picture(seed).save(tmp_path / "images" / name / f"{number}.png")
            seed += 1
    return tmp_path / "images"


class Checked:
    """The outcome of a check."""

    def __init__(self, code: int, found: dict[str, Any], shown: str) -> None:
        self.code, self.found, self.shown = code, found, shown

    def of(self, kind: str) -> dict[str, Any]:
        """The one finding of a kind."""
        (one,) = [each for each in self.found["findings"] if each["kind"] == kind]
        return dict(one)

    @property
    def kinds(self) -> set[str]:
        """The kinds of all findings."""
        return {each["kind"] for each in self.found["findings"]}


Check = Callable[..., Checked]


@pytest.fixture
def check(folder: Path, capsys: pytest.CaptureFixture[str]) -> Check:
    def checked(*words: str) -> Checked:
        code = main(["check-data", str(folder), "--json", "found.json", *words])
        shown = capsys.readouterr().out
        assert max(map(len, shown.splitlines())) <= 80
        assert "Traceback" not in shown
        return Checked(code, json.loads(Path("found.json").read_text()), shown)

    return checked


def bomb(path: Path) -> None:
    """A PNG of a few bytes that claims 50,000 x 50,000 pixels."""
    path.write_bytes(png_claiming(50_000, 50_000))


def test_good_images_are_usable_and_nothing_is_found(check: Check) -> None:
    seen = check()

    assert (seen.code, seen.kinds) == (0, set())
    assert "240 images, 2 classes" in " ".join(seen.shown.split())
    assert seen.shown.rstrip().splitlines()[-3] == "Usable."
    assert seen.found["splits"] == {"train": 72, "val": 8, "test": 60, "unlabeled": 100}


def test_everything_is_told_at_once(check: Check, folder: Path) -> None:
    """Each of these alone would stop a training; none hides the others."""
    (folder / "train/cat/0.png").write_bytes(b"")
    (folder / "train/cat/1.png").write_bytes(b"<html>404")
    (folder / "train/dog/2.png").write_bytes((folder / "train/dog/2.png").read_bytes()[:-60])
    bomb(folder / "test/dog/3.png")
    (folder / "train/cow").mkdir()
    (folder / "test/horse").mkdir()
    picture(900).save(folder / "test/horse/0.png")
    picture(901).save(folder / "test/loose.png")
    for number in range(5):
        (folder / f"unlabeled/{number}.png").write_bytes(b"GIF8")
    shutil.copy(folder / "train/cat/7.png", folder / "train/dog/copy.png")

    seen = check()

    assert seen.code == 3
    assert seen.of("extra classes")["members"] == ["horse"]
    assert seen.of("empty class folder")["members"] == ["train/cow"]
    assert seen.of("outside class folders")["members"] == ["test/loose.png"]
    labelled, pool = (one for one in seen.found["findings"] if one["kind"] == "unreadable")
    assert {
        line.split(": ")[0]: line.split(": ")[1].split(" (")[0] for line in labelled["members"]
    } == {
        "train/cat/0.png": "empty",
        "train/cat/1.png": "not an image",
        "train/dog/2.png": "damaged",
        "test/dog/3.png": "too large",
    }
    assert pool["total"] == 5
    assert seen.of("two labels")["members"] == ["train/cat/7.png (cat) = train/dog/copy.png (dog)"]
    assert seen.shown.rstrip().splitlines()[-3].startswith("Not usable: 5 errors")


def test_a_group_on_both_sides_is_told_beside_everything_else(check: Check, folder: Path) -> None:
    (folder / "train/cat/0.png").rename(folder / "train/cat/scene9_0.png")
    (folder / "test/cat/0.png").rename(folder / "test/cat/scene9_1.png")
    (folder / "train/dog/2.png").write_bytes(b"")
    pattern = r"group_pattern=(scene\d+)_"

    refused, allowed = check(pattern), check(pattern, "split.allow_shared_groups=true")

    assert (refused.code, refused.kinds) == (3, {"unreadable", "shared groups", "no group"})
    assert refused.of("shared groups")["severity"] == "error"
    assert refused.of("shared groups")["members"] == [
        "'scene9' (test/cat/scene9_1.png, train/cat/scene9_0.png)"
    ]
    assert refused.of("no group")["total"] == 237
    assert allowed.of("shared groups")["severity"] == "warning"


def test_a_table_is_checked_by_its_path(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Classes of test alone are a finding there too, and hide no broken image."""
    rows = [
        f"{file.relative_to(folder.parent)},{label},{split},{split}"
        for split, label in (("train", "cat"), ("train", "dog"), ("test", "cat"), ("test", "dog"))
        for file in sorted((folder / split / label).iterdir())
    ]
    first = next(row for row in rows if ",dog,test" in row)
    rows[rows.index(first)] = first.replace(",dog,", ",horse,")
    (folder.parent / rows[0].split(",")[0]).write_bytes(b"")
    (folder.parent / "labels.csv").write_text("\n".join(["path,label,split,group", *rows]))

    code = main(["check-data", str(folder.parent / "labels.csv"), "--json", "found.json"])

    seen = Checked(code, json.loads(Path("found.json").read_text()), capsys.readouterr().out)
    assert seen.code == 3
    assert seen.of("extra classes")["members"] == ["horse"]
    assert seen.of("unreadable")["total"] == 1


def test_a_training_tells_as_much_of_what_it_refuses(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "train/cow").mkdir()
    (folder / "test/horse").mkdir()
    picture(900).save(folder / "test/horse/0.png")

    assert main(["run", "few-labels", f"data={folder}"]) == 3

    told = capsys.readouterr().err
    assert "train/cow" in told
    assert "'horse'" in told


def test_b1_every_reason_has_an_example_on_the_screen(check: Check, folder: Path) -> None:
    for number in range(8):
        (folder / f"train/cat/{number}.png").write_bytes(b"")
    (folder / "train/dog/5.png").write_bytes(b"<html>")

    seen = check()

    assert "8 empty, 1 not an image" in seen.shown
    assert "train/dog/5.png" in seen.shown
    assert "... and 4 more" in seen.shown


def test_b1_a_file_of_another_type_than_its_suffix_is_a_note(check: Check, folder: Path) -> None:
    (folder / "train/cat/4.png").rename(folder / "train/cat/4.jpg")

    seen = check()

    assert seen.code == 0
    assert seen.of("misnamed")["members"] == ["train/cat/4.jpg: PNG"]
    assert seen.of("misnamed")["severity"] == "note"


def test_b1_one_bad_unlabeled_image_in_a_hundred_is_a_warning(check: Check, folder: Path) -> None:
    (folder / "unlabeled/7.png").write_bytes(b"")

    seen = check()

    assert seen.code == 0
    assert seen.of("unreadable")["severity"] == "warning"
    assert seen.found["readable"] == 239


def test_b2_a_class_that_validation_lacks_is_a_warning(check: Check, folder: Path) -> None:
    (folder / "val").mkdir()
    shutil.move(folder / "test/dog", folder / "val/dog")

    seen = check()

    assert seen.code == 0
    missing = [one for one in seen.found["findings"] if one["kind"] == "missing classes"]
    assert [one["members"] for one in missing] == [["cat"], ["dog"]]


def test_b4_as_many_classes_of_other_names_are_all_named(check: Check, folder: Path) -> None:
    for name in ("cat", "dog"):
        (folder / "test" / name).rename(folder / "test" / f"{name}s")

    seen = check()

    assert seen.code == 3
    assert seen.of("extra classes")["members"] == ["cats", "dogs"]


def test_b5_a_class_too_small_to_split_is_named(check: Check, folder: Path) -> None:
    shutil.rmtree(folder / "test")
    (folder / "train/cow").mkdir()
    picture(900).save(folder / "train/cow/0.png")

    seen = check()

    assert seen.code == 3
    assert "'cow' has 1" in seen.of("too small to split")["sentence"]


def test_b5_a_class_of_unreadable_images_is_not_called_too_small_as_well(
    check: Check, folder: Path
) -> None:
    """Whether it is too small nobody knows before they are repaired."""
    shutil.rmtree(folder / "test")
    for path in (folder / "train/dog").iterdir():
        path.write_bytes(b"")
    seen = check()
    (folder / "train/dog/0.png").unlink()
    for number in range(2, 40):
        (folder / f"train/cat/{number}.png").unlink()

    beside = check()

    assert seen.code == beside.code == 3
    assert "unreadable" in seen.kinds
    assert "too small to split" not in seen.kinds
    assert beside.of("too small to split")["members"] == ["cat", "dog"]


def test_b6_system_files_are_passed_over_and_counted(check: Check, folder: Path) -> None:
    for name in (".ipynb_checkpoints/a.png", "__MACOSX/._0.png", "Thumbs.db", "._0.png"):
        path = folder / "train/cat" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"junk")

    seen = check()

    assert seen.code == 0
    assert seen.found["ignored"] == {"hidden or system file": 4}
    assert "Passed over: 4 x hidden or system file" in seen.shown


def test_b7_validation_folders_are_known_by_other_names(check: Check, folder: Path) -> None:
    (folder / "test").rename(folder / "Validation")

    assert check().found["given"] == ["train", "val", "unlabeled"]


@pytest.mark.parametrize("other", ["train/cat/4.png", "unlabeled/4.png"])
def test_b9_a_test_image_elsewhere_is_an_error_with_the_pair_as_pictures(
    check: Check, folder: Path, other: str
) -> None:
    Image.open(folder / "test/dog/1.png").save(folder / other)

    seen = check()
    allowed = check("split.allow_duplicates=true")

    assert seen.code == 3
    assert seen.of("leaked")["members"] == [f"test/dog/1.png = {other}"]
    (pair,) = [one for one in seen.found["pairs"] if one["kind"] == "identical across test"]
    assert [image["name"] for image in pair["images"]] == ["test/dog/1.png", other]
    pictures = {image["picture"] for image in pair["images"]}
    assert len(pictures) == 1
    assert pictures.pop().startswith("data:image/jpeg;base64,")
    assert (allowed.code, allowed.of("leaked")["severity"]) == (0, "warning")
    assert allowed.found["leaked"] == 1


def test_b9_an_image_in_train_and_validation_is_a_warning(check: Check, folder: Path) -> None:
    (folder / "val/cat").mkdir(parents=True)
    shutil.copy(folder / "train/cat/1.png", folder / "val/cat/0.png")

    seen = check()

    assert seen.code == 0
    assert seen.of("validation seen")["members"] == ["val/cat/0.png = train/cat/1.png"]


def test_b9_near_duplicates_are_warned_of_across_test_and_noted_within(
    check: Check, folder: Path
) -> None:
    Image.open(folder / "test/dog/1.png").save(folder / "train/dog/again.jpg", quality=60)
    Image.open(folder / "train/cat/2.png").save(folder / "train/cat/again.jpg", quality=60)
    Image.open(folder / "train/cat/3.png").save(folder / "train/dog/cat.jpg", quality=60)

    seen = check()

    assert seen.code == 0
    across = seen.of("near-identical across test")
    assert across["severity"] == "warning"
    assert across["members"] == ["train/dog/again.jpg ~ test/dog/1.png"]
    assert seen.of("near-identical, two labels")["members"] == [
        "train/cat/3.png ~ train/dog/cat.jpg"
    ]
    assert seen.of("near-identical")["members"] == ["train/cat/2.png ~ train/cat/again.jpg"]
    assert seen.of("near-identical")["severity"] == "note"


def test_b9_images_that_show_hardly_anything_are_counted_apart_of_the_test(
    check: Check, folder: Path
) -> None:
    """Open water: too alike to call any of them a copy, so it is said that nobody looked."""
    for number, place in enumerate(("train/cat", "train/dog", "test/dog")):
        water = np.full((48, 48, 3), 90, np.uint8)
        water[number, :2] += 2
        Image.fromarray(water).save(folder / place / "water.png")

    seen = check()

    assert seen.code == 0
    assert seen.of("flat")["total"] == 3
    assert "3 images show hardly anything (1 of the test split)" in seen.of("flat")["sentence"]
    assert "near-identical across test" not in seen.kinds


def test_b10_one_image_with_two_labels_is_a_warning(check: Check, folder: Path) -> None:
    shutil.copy(folder / "train/cat/1.png", folder / "train/dog/copy.png")

    assert check().of("two labels")["severity"] == "warning"


def test_b11_a_pixel_and_a_strip_are_told_and_do_no_harm(check: Check, folder: Path) -> None:
    Image.new("RGB", (1, 1), "red").save(folder / "train/cat/dot.png")
    Image.new("RGB", (1, 20_000), "blue").save(folder / "train/cat/strip.png")

    seen = check()

    assert seen.code == 0
    assert seen.of("enlarged")["members"] == [
        "train/cat/dot.png: 1 x 1",
        "train/cat/strip.png: 1 x 20000",
    ]
    assert seen.of("cut")["members"] == ["train/cat/strip.png: 1 x 20000"]
    assert seen.of("constant")["members"] == ["train/cat/dot.png", "train/cat/strip.png"]


def test_b12_modes_turns_and_animations_are_counted(check: Check, folder: Path) -> None:
    one = picture(900)
    one.convert("CMYK").save(folder / "train/cat/cmyk.jpg")
    one.convert("P").save(folder / "train/cat/palette.gif", save_all=True, append_images=[one])
    Image.fromarray(np.arange(48 * 48, dtype=np.uint16).reshape(48, 48)).save(
        folder / "train/cat/deep.png"
    )
    turned = Image.Exif()
    turned[274] = 6
    picture(902).save(folder / "train/cat/turned.jpg", exif=turned)

    seen = check()

    assert seen.code == 0
    modes = seen.found["modes"]
    assert (modes["CMYK"], modes["P"], modes["I;16"], modes["RGB"]) == (1, 1, 1, 241)
    assert seen.found["orientations"] == {"1": 243, "6": 1}
    assert seen.of("animation")["members"] == ["train/cat/palette.gif"]
    assert "Turned upright by their EXIF tag: 1" in seen.shown


@pytest.mark.parametrize(("factor", "is_dark"), [(16, True), (257, False)])
def test_b13_sixteen_bits_of_which_few_are_used_are_warned_of(
    check: Check, folder: Path, factor: int, is_dark: bool
) -> None:
    """Twelve bits of a sensor, stored in sixteen: 4,080 of 65,535 becomes 16 of 255."""
    for number in range(3):
        grey = np.asarray(picture(950 + number).convert("L")).astype(np.uint16)
        stretched = grey - grey.min()
        deep = stretched * np.uint16(255) // stretched.max() * np.uint16(factor)
        Image.fromarray(deep).save(folder / f"train/cat/deep{number}.png")
    Image.fromarray(np.zeros((48, 48), np.uint16)).save(folder / "train/cat/black.png")

    seen = check()
    again = check()  # from what was kept beside the pack

    assert seen.code == 0
    assert ("dark" in seen.kinds) == is_dark
    if is_dark:
        assert seen.of("dark")["members"][0] == "train/cat/deep0.png: up to 4,080"
        assert "at most 17 levels of grey" in seen.of("dark")["sentence"]
    assert seen.found == again.found


def test_b19_a_single_class_is_refused(check: Check, folder: Path) -> None:
    shutil.rmtree(folder / "train/dog")
    shutil.rmtree(folder / "test/dog")

    seen = check()

    assert seen.code == 3
    assert "only 'cat'" in seen.of("too few classes")["sentence"]


def test_b21_uneven_and_small_classes_are_warned_of(check: Check, folder: Path) -> None:
    for path in sorted((folder / "train/dog").glob("*.png"))[2:]:
        path.unlink()
    for path in sorted((folder / "test/dog").glob("*.png"))[29:]:
        path.unlink()

    seen = check()

    assert seen.code == 0
    assert "(36 to 1)" in seen.of("uneven classes")["sentence"]
    assert seen.of("few training images")["members"] == ["dog: 1"]
    assert seen.of("few test images")["members"] == ["dog: 29"]


def test_images_of_several_sizes_are_an_error_only_where_no_size_is_asked_for(
    check: Check, folder: Path
) -> None:
    picture(900, side=50).save(folder / "train/cat/large.png")

    assert check().code == 0
    seen = check("size=null")
    assert seen.code == 3
    assert "50 x 50: 1, such as train/cat/large.png" in seen.of("sizes")["sentence"]


def test_hostile_names_neither_steer_the_terminal_nor_the_page(check: Check, folder: Path) -> None:
    name = "\x1b[31m<script>alert(1)</script>"
    for split in ("train", "test"):
        (folder / split / "dog").rename(folder / split / name.replace("/", ""))

    seen = check("--html", "page.html")

    assert "\x1b" not in seen.shown
    page = Path("page.html").read_text()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_no_path_is_a_usage_error(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    assert main(["check-data"]) == 2
    assert "check-data PATH" in capsys.readouterr().err
    assert main(["check-data", "nowhere"]) == 2
    assert "does not exist" in capsys.readouterr().err


def test_the_check_needs_no_torch(folder: Path) -> None:
    code = (
        "import sys; from understudy.cli import main; code = main(sys.argv[1:]);"
        "sys.exit('imported torch' if 'torch' in sys.modules else code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "check-data", str(folder)], capture_output=True, text=True
    )

    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(not DATA.exists(), reason="no ../shared/data")
def test_twelve_bands_are_refused_by_name(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    assert main(["check-data", str(DATA / "s2_l2a_12band")]) == 3
    shown = " ".join(capsys.readouterr().out.split())
    assert "cannot read 112 labelled images (112 unsupported)" in shown
    assert "a TIFF of 12 bands of 16 bits; only one page of 1-4 bands is read" in shown
    assert shown.count("error:") == 1
