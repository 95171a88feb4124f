import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from understudy.core.errors import DataError, UsageError
from understudy.data.decode import Decoding
from understudy.data.sources.folder import FolderSettings

WriteImages = Callable[..., Path]

FLOWERS = Path(__file__).parents[5] / "shared" / "data" / "flowers96"


def message_of(root: Path, **settings: object) -> str:
    """What a listing says against a folder's content; always with the exit code of data."""
    with pytest.raises(DataError) as caught:
        FolderSettings.model_validate({"path": root, **settings}).listing()
    assert caught.value.exit_code == 3
    return str(caught.value)


def test_class_folders_alone_give_no_split(tmp_path: Path, write_images: WriteImages) -> None:
    write_images(tmp_path, {"dog": 2, "cat": 3})

    listing = FolderSettings(path=tmp_path).listing()

    assert listing.classes == ("cat", "dog")
    assert [entry.name for entry in listing.entries] == [
        *(f"cat/{number}.png" for number in range(3)),
        *(f"dog/{number}.png" for number in range(2)),
    ]
    assert {(entry.split, entry.label) for entry in listing.entries} == {("", 0), ("", 1)}
    assert listing.read(3) == (tmp_path / "dog/0.png").read_bytes()


@pytest.mark.parametrize(
    ("train", "val", "test", "unlabeled"),
    [
        ("train", "val", "test", "unlabeled"),
        ("training", "valid", "testing", "unlabelled"),
        ("Train", "Validation", "TEST", "Unlabeled"),
    ],
)
def test_splits_are_known_by_their_usual_names(
    tmp_path: Path, write_images: WriteImages, train: str, val: str, test: str, unlabeled: str
) -> None:
    folders = [f"{split}/{name}" for split in (train, val, test) for name in ("cat", "dog")]
    write_images(tmp_path, {**dict.fromkeys(folders, 1), f"{unlabeled}/deep/er": 3})

    entries = FolderSettings(path=tmp_path).listing().entries

    counts = Counter((entry.split, entry.label) for entry in entries)
    assert counts == {
        **{(split, label): 1 for split in ("train", "val", "test") for label in (0, 1)},
        ("unlabeled", -1): 3,
    }


def test_an_unlabeled_folder_may_lie_beside_class_folders(
    tmp_path: Path, write_images: WriteImages
) -> None:
    write_images(tmp_path, {"cat": 1, "dog": 1, "unlabeled": 4})

    listing = FolderSettings(path=tmp_path).listing()

    assert listing.classes == ("cat", "dog")
    assert Counter(entry.split for entry in listing.entries) == {"": 2, "unlabeled": 4}


def test_a_pool_may_lie_elsewhere(tmp_path: Path, write_images: WriteImages) -> None:
    root = write_images(tmp_path / "a", {"train/cat": 1, "train/dog": 1})
    pool = write_images(tmp_path / "b", {"x": 2, "y/z": 1})

    entries = FolderSettings(path=root, unlabeled=pool).listing().entries

    assert [entry.name for entry in entries if entry.label == -1] == [
        "data.unlabeled/x/0.png",
        "data.unlabeled/x/1.png",
        "data.unlabeled/y/z/0.png",
    ]


def test_labels_go_by_name_where_validation_lacks_a_class(
    tmp_path: Path, write_images: WriteImages
) -> None:
    write_images(tmp_path, {"train/a": 1, "train/b": 1, "train/c": 1, "val/a": 1, "val/c": 1})

    listing = FolderSettings(path=tmp_path).listing()

    labels = {entry.name: entry.label for entry in listing.entries}
    assert (labels["val/a/0.png"], labels["val/c/0.png"]) == (0, 2)


def test_vehicles_may_include_trains(tmp_path: Path, write_images: WriteImages) -> None:
    write_images(tmp_path, {"bus": 1, "car": 1, "train": 1})

    assert FolderSettings(path=tmp_path).listing().classes == ("bus", "car", "train")


def test_folders_inside_a_class_belong_to_it(tmp_path: Path, write_images: WriteImages) -> None:
    write_images(tmp_path, {"cat/monday": 1, "cat/tuesday": 2, "dog": 1})

    labels = [entry.label for entry in FolderSettings(path=tmp_path).listing().entries]

    assert labels == [0, 0, 0, 1]


def test_system_files_and_other_files_are_ignored_and_counted(
    tmp_path: Path, write_images: WriteImages
) -> None:
    junk = {".ipynb_checkpoints": 2, "__MACOSX/cat": 1, "train/.hidden": 1}
    write_images(tmp_path, {"train/cat": 2, "train/dog": 1, **junk, "masks/cat": 2})
    for name in ("Thumbs.db", "._0.png", ".DS_Store", "notes.txt"):
        (tmp_path / "train/cat" / name).write_bytes(b"x")

    listing = FolderSettings(path=tmp_path).listing()

    assert listing.classes == ("cat", "dog")
    assert len(listing.entries) == 3
    assert listing.ignored == {
        "hidden or system file": 6,
        "file that is no image (.txt)": 1,
        "image outside train, val, test, unlabeled": 2,
    }


def test_a_link_in_a_circle_is_left_out(tmp_path: Path, write_images: WriteImages) -> None:
    write_images(tmp_path, {"cat": 1, "dog": 1})
    (tmp_path / "cat" / "again").symlink_to(tmp_path / "cat")

    listing = FolderSettings(path=tmp_path).listing()

    assert len(listing.entries) == 2
    assert listing.ignored == {"link to a folder above it": 1}


def test_a_linked_class_folder_counts(tmp_path: Path, write_images: WriteImages) -> None:
    write_images(tmp_path, {"data/cat": 1, "elsewhere": 2})
    (tmp_path / "data/dog").symlink_to(tmp_path / "elsewhere")

    entries = FolderSettings(path=tmp_path / "data").listing().entries

    assert [entry.name for entry in entries] == ["cat/0.png", "dog/0.png", "dog/1.png"]


def test_a_name_that_is_no_unicode_is_written_out_and_still_read(
    tmp_path: Path, write_images: WriteImages
) -> None:
    write_images(tmp_path, {"cat": 1, "dog": 1})
    strange = Path(os.fsdecode(os.fsencode(tmp_path / "cat") + b"/caf\xe9.png"))
    try:
        strange.write_bytes(b"content")
    except OSError:
        pytest.skip("this file system wants Unicode names")

    listing = FolderSettings(path=tmp_path).listing()

    assert listing.entries[1].name == "cat/caf\\xe9.png"
    assert listing.read(1) == b"content"


def test_the_settings_say_what_the_pixels_shall_be(
    tmp_path: Path, write_images: WriteImages
) -> None:
    write_images(tmp_path, {"cat": 1, "dog": 1})

    listing = FolderSettings(path=tmp_path, channels="grey", size=32).listing()

    assert listing.decoding == Decoding(channels="grey", size=32)


def test_an_absent_path_is_a_usage_error_that_names_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "flowers").mkdir()

    with pytest.raises(
        UsageError, match=r"data\.path = .*flowesr.* did you mean .*flowers'"
    ) as error:
        FolderSettings(path=tmp_path / "flowesr").listing()

    assert error.value.exit_code == 2


def test_an_absent_pool_is_a_usage_error(tmp_path: Path, write_images: WriteImages) -> None:
    write_images(tmp_path, {"cat": 1, "dog": 1})

    with pytest.raises(UsageError, match=r"data\.unlabeled = .*pool"):
        FolderSettings(path=tmp_path, unlabeled=tmp_path / "pool").listing()


@pytest.mark.parametrize("path", ["x" * 5_000, "a\0b"], ids=["long", "null"])
def test_an_impossible_path_is_a_usage_error(path: str) -> None:
    with pytest.raises(UsageError, match=r"data\.path"):
        FolderSettings(path=Path(path)).listing()


def test_a_file_in_place_of_the_folder_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "images.zip").write_bytes(b"")

    with pytest.raises(UsageError, match=r"images\.zip: is a file"):
        FolderSettings(path=tmp_path / "images.zip").listing()


@pytest.mark.parametrize(
    ("name", "kind"), [("a.csv", "manifest"), ("a.tsv", "manifest"), ("a.parquet", "parquet")]
)
def test_a_file_of_another_kind_is_told_what_to_type(tmp_path: Path, name: str, kind: str) -> None:
    (tmp_path / name).write_bytes(b"")

    with pytest.raises(UsageError, match=rf"{name}: is a file\. Set `data\.kind={kind}`\."):
        FolderSettings(path=tmp_path / name).listing()


def test_a_table_beside_loose_images_is_pointed_at(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").touch()

    assert "give that file: data=FILE.csv" in message_of(tmp_path)


def test_numbers_in_class_names_count_as_numbers(tmp_path: Path, write_images: WriteImages) -> None:
    write_images(tmp_path, dict.fromkeys(["10", "9", "class2", "class10", "b", "02"], 1))

    classes = FolderSettings(path=tmp_path).listing().classes

    assert classes == ("02", "9", "10", "b", "class2", "class10")


def test_a_test_class_that_train_lacks_is_named(tmp_path: Path, write_images: WriteImages) -> None:
    write_images(tmp_path, {"train/cat": 1, "train/dog": 1, "test/cat": 1, "test/cow": 1})

    message = message_of(tmp_path)

    assert "test split has classes that train lacks: 'cow'" in message
    assert "'cat', 'dog'" in message


def test_equally_many_but_differently_named_classes_are_refused(
    tmp_path: Path, write_images: WriteImages
) -> None:
    write_images(tmp_path, {"train/cat": 1, "train/dog": 1, "val/Cat": 1, "val/Dog": 1})

    assert "val split has classes that train lacks: 'Cat', 'Dog'" in message_of(tmp_path)


@pytest.mark.parametrize("empty", ["train/cow", "test/cat", "train/cow/deeper"])
def test_an_empty_class_folder_is_named(
    tmp_path: Path, write_images: WriteImages, empty: str
) -> None:
    write_images(tmp_path, {"train/cat": 1, "train/dog": 1, "test/dog": 1})
    (tmp_path / empty).mkdir(parents=True)

    assert f"{tmp_path}: {empty.removesuffix('/deeper')}: no images" in message_of(tmp_path)


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    assert f"{tmp_path}: no class folders, and no images found" in message_of(tmp_path)


@pytest.mark.parametrize("place", ["", "cat"])
def test_other_files_in_place_of_images_are_named(
    tmp_path: Path, write_images: WriteImages, place: str
) -> None:
    write_images(tmp_path, {"dog": 1, "cat": 0} if place else {})
    (tmp_path / place / "train-0.parquet").touch()

    message = message_of(tmp_path)

    assert "Ignored: 1 x file that is no image (.parquet)." in message
    assert "A folder is taken for class folders until you set `data.kind=parquet`." in message


def test_an_empty_pool_is_refused(tmp_path: Path, write_images: WriteImages) -> None:
    inside = write_images(tmp_path / "inside", {"cat": 1, "dog": 1})
    beside = write_images(tmp_path / "beside", {"cat": 1, "dog": 1})
    (inside / "unlabeled").mkdir()
    (tmp_path / "pool").mkdir()

    assert f"{inside / 'unlabeled'}: no images found" in message_of(inside)
    assert f"{tmp_path / 'pool'}: no images" in message_of(beside, unlabeled=tmp_path / "pool")


@pytest.mark.parametrize("place", [".", "train"])
def test_images_outside_class_folders_are_named(
    tmp_path: Path, write_images: WriteImages, place: str
) -> None:
    write_images(tmp_path, {f"{place}/cat": 1, f"{place}/dog": 1, place: 3})

    assert "3 images lie outside class folders, such as" in message_of(tmp_path)


def test_splits_without_class_folders_are_not_taken_for_classes(
    tmp_path: Path, write_images: WriteImages
) -> None:
    write_images(tmp_path, {"train": 2, "test": 2})

    message = message_of(tmp_path)

    assert "train: 2 images lie outside" in message
    assert "test: 2 images lie outside" in message


@pytest.mark.parametrize("stray", ["test", "validation"])
def test_a_split_beside_classes_is_not_taken_for_a_class(
    tmp_path: Path, write_images: WriteImages, stray: str
) -> None:
    write_images(tmp_path, {"cat": 1, "dog": 1, f"{stray}/cat": 1})

    assert f"found {stray}/ but no train/" in message_of(tmp_path)


def test_two_folders_for_one_split_are_refused(tmp_path: Path, write_images: WriteImages) -> None:
    write_images(tmp_path, {"train/a": 1, "train/b": 1, "val/a": 1, "valid/a": 1})

    assert "val/ and valid/ are the same split" in message_of(tmp_path)


def test_a_single_class_is_refused(tmp_path: Path, write_images: WriteImages) -> None:
    write_images(tmp_path, {"images": 5})

    assert "at least 2 classes are needed; found only 'images'" in message_of(tmp_path)


@pytest.mark.skipif(not FLOWERS.exists(), reason="no ../shared/data/flowers96")
def test_real_flowers_are_found_in_both_splits() -> None:
    listing = FolderSettings(path=FLOWERS).listing()

    assert listing.classes == ("daisy", "dandelion", "roses", "sunflowers", "tulips")
    assert Counter(entry.split for entry in listing.entries) == {"train": 2500, "test": 500}
