import os
from pathlib import Path

import pytest

from understudy.core.errors import DataError, UsageError
from understudy.data.sources.listing import Entry, Listing, existing, split_of, verified


def listing_of(*entries: Entry, classes: tuple[str, ...] = ("cat", "dog")) -> Listing:
    return Listing(
        origin="here",
        classes=classes,
        entries=entries,
        read=lambda index: entries[index].name.encode(),
        decoding=None,
        ignored={"file that is no image (.txt)": 2},
        stamp="",
    )


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("Training", "train"),
        ("valid", "val"),
        ("TESTING", "test"),
        ("unsupervised", "unlabeled"),
        ("trains", None),
        ("", None),
    ],
)
def test_usual_names_stand_for_splits(name: str, split: str | None) -> None:
    assert split_of(name) == split


def test_a_fit_listing_is_given_back() -> None:
    listing = listing_of(Entry("a", "train", 0), Entry("b", "", 1), Entry("c", "unlabeled", -1))

    assert verified(listing) is listing


def test_no_images_are_refused_with_what_was_seen_instead() -> None:
    with pytest.raises(DataError, match=r"here: no images found\. Ignored: 2 x file .*\.txt"):
        verified(listing_of())


@pytest.mark.parametrize("classes", [(), ("cat",)])
def test_fewer_than_two_classes_are_refused(classes: tuple[str, ...]) -> None:
    with pytest.raises(DataError, match="at least 2 classes are needed"):
        verified(listing_of(Entry("a", "train", 0), classes=classes))


@pytest.mark.parametrize("split", ["val", "test"])
def test_a_class_without_training_images_is_named(split: str) -> None:
    with pytest.raises(DataError, match="no training images of 'dog'"):
        verified(listing_of(Entry("a", "train", 0), Entry("b", split, 1)))


def test_an_existing_path_is_given_back_with_the_home_folder_written_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "images").mkdir()

    assert existing(Path("~/images"), key="data.path") == tmp_path / "images"


def test_an_absent_path_is_answered_with_what_the_nearest_folder_holds(tmp_path: Path) -> None:
    for number in range(9):
        (tmp_path / f"set{number}").mkdir()

    with pytest.raises(UsageError) as caught:
        existing(tmp_path / "pictures" / "cats", key="data.path")

    holds = ", ".join(f"set{number}" for number in range(8))
    assert f"{tmp_path} holds: {holds}, ..." in str(caught.value)
    assert str(caught.value).startswith(f"data.path = {os.fspath(tmp_path / 'pictures' / 'cats')}")
