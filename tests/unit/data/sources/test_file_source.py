"""What holds for every source of image files: pools and groups."""

import os
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from understudy.core.errors import DataError, UsageError
from understudy.core.settings import checked
from understudy.data.sources import every_source, walk
from understudy.data.sources.file_source import FileSourceSettings
from understudy.data.sources.listing import Entry, Listing

WriteImages = Callable[..., Path]
Asked = Callable[..., Listing]


def table(root: Path, names: list[str]) -> Path:
    rows = "".join(f"{name},{name.split('/')[0]}\n" for name in names)
    (root / "labels.csv").write_text(f"path,label\n{rows}")
    return root / "labels.csv"


def shards(root: Path, names: list[str]) -> Path:
    images = [{"bytes": (root / name).read_bytes(), "path": name} for name in names]
    labels = [["cat", "dog"].index(name.split("/")[0]) for name in names]
    (root / "rows" / "data").mkdir(parents=True)
    file = root / "rows" / "data" / "train-00000-of-00001.parquet"
    pq.write_table(pa.table({"image": images, "label": labels}), file)
    return root / "rows"


SOURCES: dict[str, Callable[[Path, list[str]], dict[str, object]]] = {
    "folder": lambda root, _: {"path": root},
    "manifest": lambda root, names: {"path": table(root, names)},
    "parquet": lambda root, names: {"path": shards(root, names)},
    "hub": lambda root, names: {"name": str(shards(root, names))},
}


@pytest.fixture(params=SOURCES)
def asked(request: pytest.FixtureRequest, tmp_path: Path, write_images: WriteImages) -> Asked:
    """Reads the same six images from a source of any kind, with further settings."""
    root = write_images(tmp_path / "images", {"cat": 3, "dog": 3})
    names = [f"{name}/{number}.png" for name in ("cat", "dog") for number in range(3)]
    place = SOURCES[request.param](root, names)
    kinds = {source.model_fields["kind"].default: source for source in every_source()}

    def listing(**settings: object) -> Listing:
        return checked(kinds[request.param], {**place, **settings}, "here").listing()

    return listing


def test_every_source_of_files_is_here() -> None:
    kinds = {
        source.model_fields["kind"].default
        for source in every_source()
        if issubclass(source, FileSourceSettings)
    }

    assert kinds - {"patches"} == set(SOURCES)  # patches are folders, and have no pool of files


def test_a_source_finds_its_images(asked: Asked) -> None:
    listing = asked()

    assert [entry.label for entry in listing.entries] == [0, 0, 0, 1, 1, 1]
    assert all(isinstance(listing.read(index), bytes) for index in range(6))


def test_a_pool_may_lie_beside_any_source(
    asked: Asked, tmp_path: Path, write_images: WriteImages
) -> None:
    pool = write_images(tmp_path / "pool", {"x": 2, "y/z": 1}, seed=1)
    (pool / "notes.md").touch()

    listing = asked(unlabeled=pool)

    names = [f"data.unlabeled/{name}" for name in ("x/0.png", "x/1.png", "y/z/0.png")]
    assert list(listing.entries[6:]) == [Entry(name, "unlabeled", -1) for name in names]
    assert listing.entries[:6] == asked().entries
    assert [listing.read(index) for index in range(6)] == [asked().read(i) for i in range(6)]
    assert [listing.read(6 + k) for k in range(3)] == [
        (pool / name.removeprefix("data.unlabeled/")).read_bytes() for name in names
    ]
    assert listing.ignored["file that is no image (.md)"] == 1


def test_a_pool_that_is_missing_empty_or_a_file_is_refused(asked: Asked, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "x.csv").touch()

    with pytest.raises(UsageError, match=r"data\.unlabeled = .*gone: does not exist"):
        asked(unlabeled=tmp_path / "gone")
    with pytest.raises(DataError, match=r"empty: no images found"):
        asked(unlabeled=tmp_path / "empty")
    with pytest.raises(UsageError, match=r"is a file\. Name the folder that holds the images"):
        asked(unlabeled=tmp_path / "x.csv")


def test_the_stamp_covers_the_pool(
    asked: Asked, tmp_path: Path, write_images: WriteImages, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walk, "SETTLED_SECONDS", -10.0)  # as if all were written long ago
    pool = write_images(tmp_path / "pool", {"x": 2}, seed=1)

    stamps = {asked().stamp, (first := asked(unlabeled=pool).stamp)}
    assert first == asked(unlabeled=pool).stamp
    os.utime(pool / "x/0.png", ns=(1, 1))

    assert len({*stamps, asked(unlabeled=pool).stamp} - {""}) == 3


def test_a_pattern_tells_the_groups(asked: Asked) -> None:
    listing = asked(group_pattern=r"(\d)\.png$")

    assert [entry.group for entry in listing.entries] == ["0", "1", "2"] * 2
    assert {entry.group for entry in asked().entries} == {""}


def test_a_pattern_tells_the_groups_of_a_pool_too(
    asked: Asked, tmp_path: Path, write_images: WriteImages
) -> None:
    pool = write_images(tmp_path / "pool", {"x": 2}, seed=1)

    listing = asked(unlabeled=pool, group_pattern=r"(\d)\.png$")

    assert [entry.group for entry in listing.entries] == [*"012012", "0", "1"]


def test_a_pattern_that_fits_no_image_says_so_with_a_name(asked: Asked) -> None:
    with pytest.raises(UsageError) as caught:
        asked(group_pattern=r"(scene\d+)_")

    assert r"data.group_pattern = (scene\d+)_: finds no group in any of 6 names" in (
        message := str(caught.value)
    )
    assert "cat/0.png" in message


def test_an_image_that_the_pattern_does_not_fit_belongs_to_no_group(asked: Asked) -> None:
    groups = [entry.group for entry in asked(group_pattern="(cat)/").entries]

    assert groups == ["cat"] * 3 + [""] * 3


@pytest.mark.parametrize(
    ("pattern", "told"), [("scene", "parentheses"), ("(a", "no regular expression"), ("", "paren")]
)
def test_a_pattern_that_is_none_is_a_usage_error(asked: Asked, pattern: str, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        asked(group_pattern=pattern)
