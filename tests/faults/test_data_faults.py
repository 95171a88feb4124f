"""Part B of the fault catalogue: what is wrong with data must be said, by name, before training."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.packs import open_pack
from tests.pngs import png_claiming

from understudy.core.errors import DataError, UnderstudyError, UsageError
from understudy.data.labels import FewLabelsSettings, few_labels
from understudy.data.pack import Pack
from understudy.data.sources.folder import FolderSettings
from understudy.data.sources.manifest import ManifestSettings
from understudy.data.splits import Splits, SplitSettings, split

Break = Callable[[Path], Any]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two classes of ten training and three test images, and a hundred images without labels."""
    random = np.random.default_rng(0)
    counts = {"train/cat": 10, "train/dog": 10, "test/cat": 3, "test/dog": 3, "unlabeled": 100}
    for name, count in counts.items():
        (tmp_path / "images" / name).mkdir(parents=True)
        for number in range(count):
            pixels = random.integers(0, 256, (8, 8, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "images" / name / f"{number}.png")
    return tmp_path / "images"


def prepared(folder: Path, **settings: Any) -> tuple[Pack, Splits]:
    """All that happens to data before a training starts."""
    source = FolderSettings.model_validate({"path": folder, **settings})
    pack = open_pack(source, shared=folder.parent / "shared")
    return pack, split(pack, SplitSettings())


def refusal(folder: Path, kind: type[UnderstudyError], **settings: Any) -> str:
    with pytest.raises(kind) as caught:
        prepared(folder, **settings)
    message = str(caught.value)
    assert len(message.splitlines()) <= 24, "a message fits on one screen"
    return message


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-60])


def bomb(path: Path) -> None:
    """A PNG of a few bytes that claims 50,000 x 50,000 pixels."""
    path.write_bytes(png_claiming(50_000, 50_000))


def bands(path: Path) -> None:
    pages = [Image.new("L", (8, 8), level) for level in range(12)]
    pages[0].save(path, "TIFF", save_all=True, append_images=pages[1:])


DAMAGE: list[Any] = [
    pytest.param(truncated, "damaged", id="B1 truncated"),
    pytest.param(lambda path: path.write_bytes(b""), "empty", id="B1 zero bytes"),
    pytest.param(lambda path: path.write_bytes(b"<html>404"), "not an image", id="B1 a web page"),
    pytest.param(bomb, "too large", id="B11 decompression bomb"),
    pytest.param(bands, "unsupported", id="B13 twelve bands"),
    pytest.param(
        lambda path: (path.unlink(), path.symlink_to("gone")), "unreadable", id="B14 deleted"
    ),
]


@pytest.mark.parametrize(("damage", "reason"), DAMAGE)
@pytest.mark.parametrize("name", ["train/cat/4.png", "test/dog/0.png"])
def test_a_bad_labelled_image_stops_everything_and_is_named(
    folder: Path, damage: Break, reason: str, name: str
) -> None:
    damage(folder / name)

    message = refusal(folder, DataError)

    assert name in message
    assert reason in message
    assert DataError.exit_code == 3


@pytest.mark.parametrize(("damage", "reason"), DAMAGE)
def test_one_bad_unlabeled_image_in_a_hundred_is_skipped_and_counted(
    folder: Path, damage: Break, reason: str
) -> None:
    damage(folder / "unlabeled/42.png")

    pack, splits = prepared(folder)

    ((told, count),) = pack.skipped.items()
    assert count == 1
    assert reason in told
    assert len(splits.unlabeled) == 99


def test_a_second_bad_unlabeled_image_in_a_hundred_is_too_many(folder: Path) -> None:
    for number in (4, 42):
        truncated(folder / f"unlabeled/{number}.png")

    assert "unlabeled/42.png: damaged" in refusal(folder, DataError)


def test_b1_a_wrong_suffix_does_no_harm(folder: Path) -> None:
    (folder / "train/cat/4.png").rename(folder / "train/cat/4.jpg")

    assert len(prepared(folder)[0].images) == 126


def test_b2_validation_without_a_class_keeps_labels_by_name(folder: Path) -> None:
    (folder / "val").mkdir()
    (folder / "test/dog").rename(folder / "val/dog")

    pack, splits = prepared(folder)

    assert {pack.classes[label] for label in pack.labels[splits.val]} == {"dog"}
    assert {pack.classes[label] for label in pack.labels[splits.test]} == {"cat"}


@pytest.mark.parametrize("renamed", [["dog"], ["cat", "dog"]], ids=["B3 extra", "B4 other names"])
def test_test_classes_that_train_lacks_are_named(folder: Path, renamed: list[str]) -> None:
    for name in renamed:
        (folder / "test" / name).rename(folder / "test" / f"{name}s")

    message = refusal(folder, DataError)

    assert all(f"'{name}s'" in message for name in renamed)
    assert "'cat', 'dog'" in message


def test_b5_an_empty_class_folder_is_named(folder: Path) -> None:
    (folder / "train/cow").mkdir()

    assert "train/cow" in refusal(folder, DataError)


def test_b5_a_class_with_one_image_cannot_be_split(folder: Path) -> None:
    (folder / "train/cow").mkdir()
    Image.new("RGB", (8, 8), "brown").save(folder / "train/cow/0.png")

    assert "'cow' has 1" in refusal(folder, DataError)


def test_b6_system_files_are_ignored_and_counted(folder: Path) -> None:
    for name in (".ipynb_checkpoints/a.png", "__MACOSX/._0.png", "Thumbs.db", "._0.png"):
        path = folder / "train/cat" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"junk")

    pack, _ = prepared(folder)

    assert pack.classes == ("cat", "dog")
    assert pack.skipped == {"hidden or system file": 4}


@pytest.mark.parametrize("name", ["val", "valid", "validation", "Validation"])
def test_b7_validation_is_known_by_its_usual_names(folder: Path, name: str) -> None:
    (folder / "test").rename(folder / name)

    pack, _ = prepared(folder)

    assert set(pack.given) == {"train", "val", "unlabeled"}


@pytest.mark.parametrize("other", ["train/cat/4.png", "unlabeled/4.png"])
def test_b9_a_test_image_that_is_elsewhere_too_is_named(folder: Path, other: str) -> None:
    (folder / other).write_bytes((folder / "test/dog/1.png").read_bytes())

    assert f"test/dog/1.png = {other}" in refusal(folder, DataError)


def test_b9_equal_pixels_in_another_format_are_found(folder: Path) -> None:
    Image.open(folder / "test/dog/1.png").save(folder / "train/cat/copy.bmp")

    assert "test/dog/1.png = train/cat/copy.bmp" in refusal(folder, DataError)


def test_b9_an_image_in_train_and_validation_is_noted(folder: Path) -> None:
    (folder / "val/cat").mkdir(parents=True)
    (folder / "val/cat/0.png").write_bytes((folder / "train/cat/1.png").read_bytes())

    _, splits = prepared(folder)

    assert "val/cat/0.png = train/cat/1.png" in splits.notes[0]


def test_b10_one_image_with_two_labels_is_noted(folder: Path) -> None:
    (folder / "train/dog/copy.png").write_bytes((folder / "train/cat/1.png").read_bytes())

    _, splits = prepared(folder)

    assert "train/cat/1.png (cat) = train/dog/copy.png (dog)" in splits.notes[0]


def test_b15_a_changed_image_makes_another_pack(folder: Path) -> None:
    before, _ = prepared(folder)

    Image.new("RGB", (8, 8), "red").save(folder / "train/cat/0.png")

    assert prepared(folder)[0].key != before.key


def test_b17_a_circle_of_links_ends(folder: Path) -> None:
    (folder / "train/cat/loop").symlink_to(folder)
    (folder / "unlabeled/loop").symlink_to(folder / "unlabeled")

    pack, _ = prepared(folder)

    assert len(pack.images) == 126
    assert pack.skipped == {"link to a folder above it": 2}


def test_b19_a_single_class_is_refused(folder: Path) -> None:
    for name in ("train/dog", "test/dog"):
        (folder / name).rename(folder.parent / name.replace("/", "-"))

    assert "at least 2 classes are needed; found only 'cat'" in refusal(folder, DataError)


def test_images_of_several_sizes_are_refused_with_the_setting_that_helps(folder: Path) -> None:
    Image.new("RGB", (9, 8)).save(folder / "train/cat/wide.png")

    message = refusal(folder, DataError)

    assert "train/cat/wide.png" in message
    assert "data.size" in message
    assert prepared(folder, size=8)[0].images.shape == (127, 3, 8, 8)


def test_an_absent_path_is_a_usage_error_with_the_nearest_one(folder: Path) -> None:
    message = refusal(folder.with_name("imgaes"), UsageError)

    assert "imgaes" in message
    assert f"did you mean {str(folder)!r}" in message
    assert UsageError.exit_code == 2


def test_a_folder_without_images_is_refused(tmp_path: Path) -> None:
    assert f"{tmp_path}: no class folders, and no images" in refusal(tmp_path, DataError)


def test_more_labels_than_there_are_name_the_class_and_the_most(folder: Path) -> None:
    pack, splits = prepared(folder)

    with pytest.raises(DataError, match=r"'cat', 'dog'.*has 9, 9\. Set `labels\.per_class` to at"):
        few_labels(
            pack.labels,
            splits.train,
            classes=pack.classes,
            settings=FewLabelsSettings(per_class=50),
            split="train",
            seed=0,
        )


@pytest.mark.parametrize(
    "name", ["with space", "ünïcode", "-dash", "new\nline", "=cmd()", "<b>", "\x1b[31mred"]
)
def test_a11_f6_strange_class_names_travel_unchanged(folder: Path, name: str) -> None:
    for part in ("train", "test"):
        (folder / part / "dog").rename(folder / part / name)

    pack, _ = prepared(folder)

    assert set(pack.classes) == {"cat", name}


def test_nothing_is_left_behind_by_a_refusal(folder: Path) -> None:
    truncated(folder / "train/cat/4.png")
    refusal(folder, DataError)
    Image.new("RGB", (8, 8), "green").save(folder / "train/cat/4.png")

    pack, _ = prepared(folder)

    assert len(pack.images) == 126
    folders = [path.name for path in (folder.parent / "shared/packs").iterdir() if path.is_dir()]
    assert folders == [pack.key]


@pytest.fixture
def labels(folder: Path) -> Path:
    """A table of the training and test images, beside their folder; three rows are a scene."""
    rows = [
        f"images/{split}/{name}/{number}.png;{name};{split};{split}-{number // 3}"
        for split, count in (("train", 10), ("test", 3))
        for name in ("cat", "dog")
        for number in range(count)
    ]
    path = folder.parent / "labels.csv"
    path.write_text("\n".join(["path;label;split;group", *rows]))
    return path


def of_table(path: Path, **settings: Any) -> tuple[Pack, Splits]:
    source = ManifestSettings.model_validate({"path": path, **settings})
    pack = open_pack(source, shared=path.parent / "shared")
    return pack, split(pack, SplitSettings())


def test_b8_a_table_from_a_spreadsheet_is_read_whole(labels: Path, folder: Path) -> None:
    pack, splits = of_table(labels)
    text = labels.read_text()
    labels.write_bytes(("\ufeff" + text.replace("\n", "\r\n")).encode())
    again, _ = of_table(labels)

    assert [len(splits.train) + len(splits.val), len(splits.test)] == [20, 6]
    in_train, in_val = ({pack.groups[i] for i in part} for part in (splits.train, splits.val))
    assert not in_train & in_val
    assert again.key == pack.key
    assert set(pack.groups) == {f"train-{k}" for k in range(4)} | {"test-0"}
    assert sum(prepared(folder)[0].labels >= 0) == 26


def test_b8_missing_files_and_labels_are_counted_and_refused(labels: Path) -> None:
    text = labels.read_text().replace("train/cat/1.png", "train/cat/x.png")
    labels.write_text(text.replace("test/dog/2.png;dog", "test/dog/2.png;"))

    with pytest.raises(DataError) as caught:
        of_table(labels)

    assert "labels.csv: 2 mistakes" in str(caught.value)
    assert "line 3: images/train/cat/x.png" in str(caught.value)
    assert "line 27: images/test/dog/2.png" in str(caught.value)


def test_b1_a_broken_image_of_a_table_is_named(labels: Path, folder: Path) -> None:
    truncated(folder / "train/cat/4.png")

    with pytest.raises(DataError, match=r"images/train/cat/4\.png: damaged"):
        of_table(labels)


def test_b9_a_scene_on_both_sides_of_a_given_split_is_refused(labels: Path) -> None:
    labels.write_text(labels.read_text().replace(";test;test-0", ";test;train-0", 1))

    with pytest.raises(
        DataError, match=r"(?s)1 group is in the test split and outside of it.*'train-0'"
    ):
        of_table(labels)


def test_a_pool_of_all_files_adds_those_that_the_table_does_not_name(
    labels: Path, folder: Path
) -> None:
    pack, splits = of_table(labels, unlabeled=folder)

    assert len(splits.unlabeled) == 100
    assert pack.skipped["image of data.unlabeled that the data names already"] == 26
