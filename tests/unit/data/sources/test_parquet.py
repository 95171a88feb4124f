import json
from collections import Counter
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from understudy.core.errors import DataError, UsageError
from understudy.core.progress import Silent
from understudy.data.opening import open_checked
from understudy.data.settings import DataSettings
from understudy.data.sources.listing import Listing
from understudy.data.sources.parquet import ParquetSettings

CIFAR10 = Path(__file__).parents[5] / "shared" / "data" / "cifar10"


def write(
    path: Path,
    labels: Sequence[int | None],
    *,
    names: Sequence[str] | None = None,
    image: str = "image",
    label: str = "label",
    rows_per_group: int = 2,
) -> Path:
    """A file in the hub's layout; each image's bytes name its file and row."""
    path.parent.mkdir(parents=True, exist_ok=True)
    images = [
        {"bytes": f"{path.stem} {row}".encode(), "path": f"{row}.png"} for row in range(len(labels))
    ]
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    table = pa.table({image: pa.array(images, kind), label: pa.array(labels, pa.int64())})
    if names is not None:
        features = {label: {"names": list(names), "_type": "ClassLabel"}}
        written = json.dumps({"info": {"features": features}})
        table = table.replace_schema_metadata({"huggingface": written})
    pq.write_table(table, path, row_group_size=rows_per_group)
    return path


def write_lists(
    path: Path,
    labels: Sequence[Sequence[int | str | None] | None],
    *,
    feature: object = None,
) -> Path:
    """As `write`, with several labels for each row; `feature` as the hub's libraries write it."""
    write(path, [0] * len(labels))
    is_named = any(isinstance(label, str) for row in labels for label in row or ())
    kind = pa.list_(pa.string() if is_named else pa.int64())
    table = pq.read_table(path).drop(["label"]).append_column("label", pa.array(labels, kind))
    if feature is not None:
        written = json.dumps({"info": {"features": {"label": feature}}})
        table = table.replace_schema_metadata({"huggingface": written})
    pq.write_table(table, path, row_group_size=2)
    return path


def listing_of(path: Path, **settings: object) -> Listing:
    return ParquetSettings.model_validate({"path": path, **settings}).listing()


def message_of(path: Path, **settings: object) -> str:
    with pytest.raises(DataError) as caught:
        listing_of(path, **settings)
    assert caught.value.exit_code == 3
    return str(caught.value)


def test_the_file_names_give_the_splits(tmp_path: Path) -> None:
    write(tmp_path / "data/train-00000-of-00002.parquet", [0, 1, 1])
    write(tmp_path / "data/train-00001-of-00002.parquet", [0])
    write(tmp_path / "data/validation-00000-of-00001.parquet", [1])
    write(tmp_path / "data/test-00000-of-00001.parquet", [0, 1])
    write(tmp_path / "data/unsupervised-00000-of-00001.parquet", [-1, -1])

    entries = listing_of(tmp_path).entries

    counts = Counter(entry.split for entry in entries)
    assert counts == {"train": 4, "val": 1, "test": 2, "unlabeled": 2}


def test_folders_may_give_the_splits(tmp_path: Path) -> None:
    write(tmp_path / "default/train/0000.parquet", [0, 1])
    write(tmp_path / "default/test/0000.parquet", [1])

    assert [entry.split for entry in listing_of(tmp_path).entries] == ["test", "train", "train"]


def test_one_file_without_a_split_in_its_name_is_one_set(tmp_path: Path) -> None:
    path = write(tmp_path / "flowers.parquet", [0, 1])

    assert [entry.split for entry in listing_of(path).entries] == ["", ""]


def test_every_row_can_be_read_in_any_order(tmp_path: Path) -> None:
    write(tmp_path / "train-0.parquet", [0, 1, 0, 1, 0], rows_per_group=2)
    write(tmp_path / "train-1.parquet", [1, 0, 1], rows_per_group=1)

    listing = listing_of(tmp_path)

    expected = [f"train-0 {row}".encode() for row in range(5)]
    expected += [f"train-1 {row}".encode() for row in range(3)]
    assert [listing.read(index) for index in range(8)] == expected
    assert [listing.read(index) for index in reversed(range(8))] == expected[::-1]
    assert listing.entries[6].name == "train-1.parquet:1:1.png"


def test_classes_come_from_the_files(tmp_path: Path) -> None:
    write(tmp_path / "train-0.parquet", [1, 0], names=["cat", "dog"])

    assert listing_of(tmp_path).classes == ("cat", "dog")


def test_the_settings_may_name_classes(tmp_path: Path) -> None:
    write(tmp_path / "train-0.parquet", [1, 0])

    assert listing_of(tmp_path, classes=["cat", "dog"]).classes == ("cat", "dog")


def test_classes_without_names_are_numbers(tmp_path: Path) -> None:
    write(tmp_path / "train-0.parquet", [2, 0, 1])

    assert listing_of(tmp_path).classes == ("0", "1", "2")


def test_columns_may_have_other_names(tmp_path: Path) -> None:
    write(tmp_path / "train-0.parquet", [0, 1], names=["a", "b"], image="img", label="fine_label")

    listing = listing_of(tmp_path, image_column="img", label_column="fine_label")

    assert listing.classes == ("a", "b")
    assert listing.read(1) == b"train-0 1"


def test_a_training_row_without_a_label_is_unlabeled(tmp_path: Path) -> None:
    write(tmp_path / "train-0.parquet", [0, None, -1, 1])

    entries = listing_of(tmp_path).entries

    assert [(entry.split, entry.label) for entry in entries] == [
        ("train", 0),
        ("unlabeled", -1),
        ("unlabeled", -1),
        ("train", 1),
    ]


def test_labels_of_an_unlabeled_file_are_not_read(tmp_path: Path) -> None:
    write(tmp_path / "train-0.parquet", [0, 1])
    write(tmp_path / "unlabeled-0.parquet", [1])

    assert listing_of(tmp_path).entries[-1].label == -1


def test_a_row_without_an_image_is_empty_and_so_refused_when_decoded(tmp_path: Path) -> None:
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    images = pa.array([None, {"bytes": None, "path": "x.png"}], kind)
    pq.write_table(pa.table({"image": images, "label": [0, 1]}), tmp_path / "train.parquet")

    listing = listing_of(tmp_path)

    assert [listing.read(index) for index in range(2)] == [b"", b""]


def test_an_absent_path_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"data\.path = .*cifar"):
        listing_of(tmp_path / "cifar")


def test_a_folder_without_parquet_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"")

    assert "no .parquet files found" in message_of(tmp_path)


def test_a_file_that_is_not_parquet_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "train-0.parquet", [0, 1])
    path.write_bytes(path.read_bytes()[:-20])

    assert "train-0.parquet: cannot be read as Parquet" in message_of(tmp_path)


def test_an_absent_column_is_answered_with_those_that_are_there(tmp_path: Path) -> None:
    write(tmp_path / "train-0.parquet", [0, 1], image="img")

    message = message_of(tmp_path)

    assert "train-0.parquet: no column 'image'; found img (struct" in message
    assert "data.image_column" in message


def test_a_table_of_paths_is_sent_to_its_own_kind(tmp_path: Path) -> None:
    pq.write_table(pa.table({"path": ["a.png"], "label": ["cat"]}), tmp_path / "labels.parquet")

    message = message_of(tmp_path / "labels.parquet")

    assert "no column 'image'; found path (string), label (string)" in message
    assert "If it holds the paths of images, set `data.kind=manifest`." in message


def test_a_missing_part_of_a_split_is_named(tmp_path: Path) -> None:
    for number in (0, 2, 3):
        write(tmp_path / f"data/train-0000{number}-of-00004.parquet", [0, 1])
    write(tmp_path / "data/test-00000-of-00001.parquet", [0, 1])

    message = message_of(tmp_path)

    assert "1 of the files are missing, such as data/train-00001-of-00004.parquet" in message


@pytest.mark.parametrize(
    ("images", "labels", "complaint"),
    [
        ([b"x", b"y"], [0, 1], "images must be {bytes, path}"),
        ([{"bytes": b"x", "path": ""}] * 2, ["cat", "dog"], "labels must be whole numbers"),
    ],
)
def test_columns_of_another_type_are_refused(
    tmp_path: Path, images: list[object], labels: list[object], complaint: str
) -> None:
    pq.write_table(pa.table({"image": images, "label": labels}), tmp_path / "train.parquet")

    assert f"train.parquet: the {complaint}" in message_of(tmp_path)


@pytest.mark.parametrize("label", [2, -2])
def test_a_label_outside_the_class_list_is_named(tmp_path: Path, label: int) -> None:
    write(tmp_path / "train-0.parquet", [0, 1, label], names=["cat", "dog"])

    assert f"train-0.parquet: row 2 has label {label}; there are 2 classes" in message_of(tmp_path)


def test_a_test_split_without_labels_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "train-0.parquet", [0, 1])
    write(tmp_path / "test-0.parquet", [-1, -1])

    assert "test-0.parquet: 2 rows of the test split have no label" in message_of(tmp_path)


def test_a_test_class_that_train_lacks_is_named(tmp_path: Path) -> None:
    write(tmp_path / "train-0.parquet", [0, 1], names=["cat", "dog", "cow"])
    write(tmp_path / "test-0.parquet", [2], names=["cat", "dog", "cow"])

    assert "no training images of 'cow'" in message_of(tmp_path)


def test_different_class_lists_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "train-0.parquet", [0, 1], names=["cat", "dog"])
    write(tmp_path / "test-0.parquet", [0, 1], names=["dog", "cat"])

    assert "different class lists: test-0.parquet: dog, cat; train-0.parquet" in message_of(
        tmp_path
    )


def test_files_with_and_without_a_split_do_not_mix(tmp_path: Path) -> None:
    write(tmp_path / "train-0.parquet", [0, 1])
    write(tmp_path / "more.parquet", [0, 1])

    assert "more.parquet names no split" in message_of(tmp_path)


@pytest.mark.skipif(not CIFAR10.exists(), reason="no ../shared/data/cifar10")
def test_the_real_cifar10_is_found_whole() -> None:
    listing = listing_of(CIFAR10)

    assert listing.classes[0] == "airplane"
    assert Counter(entry.split for entry in listing.entries) == {"train": 50_000, "test": 10_000}
    counts = Counter((entry.split, entry.label) for entry in listing.entries)
    assert set(counts.values()) == {5_000, 1_000}


SEVERAL = {"names": ["Arable", "Forest", "Sea"], "_type": "ClassLabel"}


@pytest.mark.parametrize(
    "feature",
    [[SEVERAL], {"feature": SEVERAL, "_type": "Sequence"}, {"feature": SEVERAL, "_type": "List"}],
)
def test_lists_of_numbers_are_labels_by_the_names_that_files_carry(
    tmp_path: Path, feature: object
) -> None:
    path = write_lists(tmp_path / "patches.parquet", [[2, 0], [1], [], None], feature=feature)

    found = listing_of(path)

    assert (found.classes, found.tags) == ((), ("Arable", "Forest", "Sea"))
    assert [entry.tags for entry in found.entries] == [(0, 2), (1,), (), None]
    assert {entry.label for entry in found.entries} == {-1}
    assert found.read(2) == b"patches 2"


def test_lists_of_names_are_labels_by_themselves(tmp_path: Path) -> None:
    write_lists(tmp_path / "train-0.parquet", [["Sea"], ["Arable"]])
    write_lists(tmp_path / "unlabeled-0.parquet", [["Forest"]])

    found = listing_of(tmp_path)

    assert found.tags == ("Arable", "Forest", "Sea")
    assert [(entry.split, entry.tags) for entry in found.entries] == [
        ("train", (2,)),
        ("train", (0,)),
        ("unlabeled", None),
    ]


def test_lists_take_the_names_that_are_given_and_else_their_numbers(tmp_path: Path) -> None:
    path = write_lists(tmp_path / "patches.parquet", [[0, 2]])

    assert listing_of(path).tags == ("0", "1", "2")
    assert listing_of(path, classes=["a", "b", "c"]).tags == ("a", "b", "c")


@pytest.mark.parametrize(
    ("labels", "complaint"),
    [
        ([[0], [1, 3]], "row 1 has labels [1, 3]; known are a, b, or their numbers 0 to 1"),
        ([["a"], ["A"]], "row 1 has labels ['A']; known are a, b"),
        ([[0, None]], "row 0 has labels [0, None]; known are a, b"),
        ([["a", None]], "row 0 has labels ['a', None]; known are a, b"),
        ([[0, 1], [0, 0]], "row 1 names a label twice: [0, 0]. Lists hold the labels that an"),
    ],
)
def test_lists_that_are_none_of_the_labels_are_refused(
    tmp_path: Path, labels: list[list[int | str | None]], complaint: str
) -> None:
    path = write_lists(tmp_path / "train-0.parquet", labels)

    assert complaint in message_of(path, classes=["a", "b"])


@pytest.mark.parametrize(
    ("others", "kind"), [([[1]], "lists of numbers"), (None, "one label for each row")]
)
def test_files_with_labels_of_different_kinds_are_refused(
    tmp_path: Path, others: list[list[int]] | None, kind: str
) -> None:
    write_lists(tmp_path / "train-0.parquet", [["Sea"], []])
    if others is None:
        write(tmp_path / "train-1.parquet", [0])
    else:
        write_lists(tmp_path / "train-1.parquet", others)

    told = message_of(tmp_path)

    assert f"train-0.parquet has lists of names, train-1.parquet has {kind}" in told


def test_empty_lists_go_with_lists_of_either_kind_and_not_with_single_labels(
    tmp_path: Path,
) -> None:
    write_lists(tmp_path / "train-0.parquet", [["Sea"], ["Arable"]])
    write_lists(tmp_path / "train-1.parquet", [[], None])  # of numbers, as far as the type tells
    assert [entry.tags for entry in listing_of(tmp_path).entries] == [(1,), (0,), (), None]

    write(tmp_path / "train-0.parquet", [0, 1])
    assert "train-1.parquet has empty lists" in message_of(tmp_path)


def test_a_scheme_makes_classes_of_lists(tmp_path: Path) -> None:
    rows = [["Sea"], ["Sea", "Arable"], ["Forest"], [], None, ["Arable"]] * 4
    path = write_lists(tmp_path / "patches.parquet", rows)
    table, images = pq.read_table(path), []
    for row in range(len(rows)):
        png = BytesIO()
        noise = np.random.default_rng(row).integers(0, 256, (8, 8, 3), dtype=np.uint8)
        Image.fromarray(noise).save(png, "PNG")
        images.append({"bytes": png.getvalue(), "path": f"{row}.png"})
    kind = table.schema.field("image").type
    pq.write_table(table.set_column(0, "image", pa.array(images, kind)), path)
    settings = DataSettings.model_validate(
        {
            "data": {"kind": "parquet", "path": path, "size": 8},
            "schemes": {"coast": {"classes": {"water": ["Sea"]}, "otherwise": "land"}},
            "scheme": "coast",
        }
    )

    opened = open_checked(
        settings, runs=tmp_path / "runs", shared=tmp_path / "shared", progress=Silent()
    )

    pack = opened.pack
    assert pack is not None
    named = [pack.classes[label] if label >= 0 else None for label in pack.labels.tolist()]
    assert named == ["water", "water", "land", "land", None, "land"] * 4
