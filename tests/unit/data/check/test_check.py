from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.packs import open_pack

from understudy.core.errors import DataError
from understudy.core.progress import Silent
from understudy.data.check.check import Check
from understudy.data.check.finding import Finding, complaint
from understudy.data.pack import Examined, examine
from understudy.data.sources.digits import DigitsSettings
from understudy.data.sources.folder import FolderSettings
from understudy.data.splits import SplitSettings


class Counting(Silent):
    """Remembers what work was begun."""

    def __init__(self) -> None:
        self.titles: list[str] = []

    def begin(self, title: str, total: int) -> None:  # noqa: ARG002
        self.titles.append(title.split()[0])


def save(path: Path, seed: int, quality: int | None = None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), dtype=np.uint8)
    picture = Image.fromarray(coarse).resize((32, 32), Image.Resampling.BICUBIC)
    options: dict[str, Any] = {"quality": quality} if quality else {}
    picture.save(path, **options)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in range(30):
        save(tmp_path / f"images/cat/{number}.png", number)
        save(tmp_path / f"images/dog/{number}.png", 100 + number)
    return tmp_path / "images"


def looked_at(folder: Path, progress: Silent | None = None) -> Examined:
    survey = FolderSettings(path=folder).survey()
    return examine(survey, shared=folder.parent / "shared", progress=progress or Silent())


def check_of(folder: Path) -> Check:
    return Check(looked_at(folder).inspection, SplitSettings())


def test_what_was_seen_is_read_back_as_it_was_written(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("understudy.data.sources.walk.SETTLED_SECONDS", -10.0)
    save(folder / "cat/again.jpg", 3, quality=50)
    counting = Counting()

    first, second = looked_at(folder).inspection, looked_at(folder, counting).inspection

    assert counting.titles == []
    assert first.looks == second.looks
    assert first.near.tolist() == second.near.tolist() != []
    np.testing.assert_array_equal(first.shapes, second.shapes)
    np.testing.assert_array_equal(first.readable, second.readable)


def test_a_training_opens_what_the_check_packed(folder: Path) -> None:
    looked_at(folder)
    counting = Counting()

    open_pack(FolderSettings(path=folder), shared=folder.parent / "shared", progress=counting)

    assert "packing" not in counting.titles


def test_images_that_make_no_pack_are_looked_at_all_the_same(folder: Path) -> None:
    save(folder / "cat/again.jpg", 3, quality=50)
    Image.new("RGB", (40, 33)).save(folder / "cat/odd.png")

    examined = looked_at(folder)

    assert examined.pack is None
    found = {one.kind for one in Check(examined.inspection, SplitSettings()).findings}
    assert found >= {"sizes", "constant"}
    assert len(examined.inspection.near) == 1
    assert not [path for path in (folder.parent / "shared/packs").iterdir() if path.is_dir()]


def test_copies_in_one_split_are_noted(folder: Path) -> None:
    save(folder / "cat/copy.png", 3)

    (found,) = [one for one in check_of(folder).findings if one.kind == "repeated"]

    assert found.members == ("cat/copy.png = cat/3.png",)
    assert found.severity == "note"


def test_counts_are_those_of_the_splits(folder: Path) -> None:
    check = check_of(folder)

    content = check.as_json()

    assert [one["train"] + one["val"] + one["test"] for one in content["classes"]] == [30, 30]
    assert content["splits"]["test"] == sum(one["test"] for one in content["classes"])
    assert len(check.split_names) == 60


def test_members_are_cut_for_a_run_and_whole_for_a_file(folder: Path) -> None:
    for number in range(150):
        Image.new("RGB", (32, 32), (number, 1, 1)).save(folder / f"cat/flat{number}.png")
    check = check_of(folder)

    def constant(content: dict[str, list[dict[str, object]]]) -> dict[str, object]:
        return next(one for one in content["findings"] if one["kind"] == "constant")

    cut, whole = constant(check.as_json()), constant(check.as_json(most=None))

    assert len(cut["members"]) == 100  # type: ignore[arg-type]
    assert cut["total"] == len(whole["members"]) == 150  # type: ignore[arg-type]


def test_coarse_images_are_not_compared_and_that_is_said(tmp_path: Path) -> None:
    examined = examine(DigitsSettings().survey(), shared=tmp_path, progress=Silent())

    check = Check(examined.inspection, SplitSettings())

    assert [one.kind for one in check.findings] == ["coarse"]
    assert check.summary() == ""
    check.must_serve()


def test_a_check_with_errors_refuses_with_all_of_them(folder: Path) -> None:
    (folder / "cow").mkdir()
    (folder / "loose.png").write_bytes(b"")

    with pytest.raises(DataError, match="2 mistakes in the images") as caught:
        check_of(folder).must_serve()

    assert "cow" in str(caught.value)
    assert "loose.png" in str(caught.value)


def test_a_complaint_lists_the_first_members() -> None:
    members = tuple(f"image {number}" for number in range(30))

    told = complaint([Finding("bad", "error", "these are bad:", members, 30)], origin="here")

    assert told.splitlines()[:2] == ["here: these are bad:", "  image 0"]
    assert told.splitlines()[-1] == "  ... and 20 more"
