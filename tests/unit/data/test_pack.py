import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from filelock import FileLock
from PIL import Image
from tests.packs import open_pack
from tests.rasters import bands, class_folders, tiff

from understudy.core.errors import DataError, StorageError
from understudy.core.numbers import Numbers
from understudy.core.progress import Progress, Silent
from understudy.data.pack import Pack
from understudy.data.sources import walk
from understudy.data.sources.digits import DigitsSettings
from understudy.data.sources.folder import FolderSettings
from understudy.data.sources.listing import Entry, Listing, SourceSettings
from understudy.data.sources.parquet import ParquetSettings

WriteImages = Callable[..., Path]

DATA = Path(__file__).parents[4] / "shared" / "data"
TWELVE_BANDS = DATA / "s2_l2a_12band"
CIFAR10_PIXELS = {
    "train": "106c92bb46dac6d15868ac7399d1b36b84e074534af9bafd3ed8307e5d86a9f8",
    "test": "23148962700283090ec1d5634e2e56895484ca2254d67ed3cfedfcef1ead64bd",
}


class Told(Silent):
    """Remembers what was shown."""

    def __init__(self) -> None:
        self.titles: list[str] = []
        self.said: list[str] = []
        self.done = 0

    def begin(self, title: str, total: int) -> None:
        self.titles.append(f"{title.split()[0]} {total}")

    def advance(self, count: int = 1, note: str = "") -> None:
        self.done += count
        assert not note

    def say(self, text: str) -> None:
        self.said.append(text)


@pytest.fixture
def folder(tmp_path: Path, write_images: WriteImages) -> Path:
    counts = {"train/cat": 3, "train/dog": 4, "test/cat": 2, "test/dog": 1, "unlabeled": 5}
    return write_images(tmp_path / "images", counts)


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    return tmp_path / "shared"


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As if all files had been written long ago."""
    monkeypatch.setattr(walk, "SETTLED_SECONDS", -10.0)
    yield


def opened(path: Path, shared: Path, progress: Progress | None = None, **settings: Any) -> Pack:
    source = FolderSettings.model_validate({"path": path, **settings})
    return open_pack(source, shared=shared, progress=progress or Silent())


def test_a_pack_holds_every_image_with_what_is_known_of_it(folder: Path, shared: Path) -> None:
    pack = opened(folder, shared)

    assert pack.images.shape == (15, 3, 4, 6)
    assert pack.images.dtype == np.uint8
    assert pack.classes == ("cat", "dog")
    assert pack.names[:4] == tuple(
        f"train/{name}" for name in ("cat/0.png", "cat/1.png", "cat/2.png", "dog/0.png")
    )
    assert pack.labels.tolist() == [0] * 3 + [1] * 4 + [0] * 2 + [1] + [-1] * 5
    assert pack.given == ("train",) * 7 + ("test",) * 3 + ("unlabeled",) * 5
    for index, name in enumerate(pack.names):
        pixels = np.asarray(Image.open(folder / name)).transpose(2, 0, 1)
        np.testing.assert_array_equal(pack.images[index], pixels)


def test_a_pack_keeps_the_group_of_every_image(folder: Path, shared: Path) -> None:
    listing = FolderSettings(path=folder).listing()
    grouped = tuple(entry._replace(group=entry.name[:7]) for entry in listing.entries)

    class Grouped(SourceSettings):
        def survey(self) -> Listing:
            return listing._replace(entries=grouped)

    pack = open_pack(Grouped(), shared=shared)
    again = open_pack(Grouped(), shared=shared)

    assert pack.groups == again.groups == tuple(name[:7] for name in pack.names)
    assert opened(folder, shared).groups == ()


def test_a_pack_of_before_there_were_groups_is_still_used(folder: Path, shared: Path) -> None:
    pack, again = opened(folder, shared), Told()
    place = shared / "packs" / pack.key / "pack.json"
    columns = json.loads(place.read_text())
    del columns["groups"]
    place.write_text(json.dumps(columns))

    old = opened(folder, shared, again)

    assert "packing 15" not in again.titles
    assert old.groups == ()


def test_the_images_are_mapped_and_cannot_be_changed(folder: Path, shared: Path) -> None:
    pack = opened(folder, shared)

    assert isinstance(pack.images, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        pack.images[0] = 0


def test_a_second_run_decodes_nothing(folder: Path, shared: Path) -> None:
    first, again = Told(), Told()

    pack = opened(folder, shared, first)
    same = opened(folder, shared, again)

    assert first.titles == ["reading 15", "packing 15"]
    assert first.done == 30
    assert "packing 15" not in again.titles
    assert same.key == pack.key
    np.testing.assert_array_equal(same.images, pack.images)


@pytest.mark.usefixtures("settled")
def test_unchanged_files_are_not_even_read_again(folder: Path, shared: Path) -> None:
    again = Told()

    pack = opened(folder, shared)
    same = opened(folder, shared, again)

    assert again.titles == []
    assert same.key == pack.key


@pytest.mark.usefixtures("settled")
def test_a_changed_file_of_the_same_size_and_time_is_noticed(folder: Path, shared: Path) -> None:
    pack = opened(folder, shared)
    changed = folder / "train/cat/0.png"
    before = changed.stat()
    Image.open(changed).rotate(180).save(changed.with_suffix(".bmp"))
    content = changed.with_suffix(".bmp").read_bytes()
    changed.with_suffix(".bmp").unlink()
    changed.write_bytes(content[: before.st_size].ljust(before.st_size, b"\0"))
    os.utime(changed, ns=(before.st_atime_ns, before.st_mtime_ns))

    again = opened(folder, shared)

    assert changed.stat().st_size == before.st_size
    assert again.key != pack.key


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize("settings", [{"channels": "grey"}, {"size": 4}, {"size": 5}])
def test_other_pixels_are_another_pack(
    folder: Path, shared: Path, settings: dict[str, Any]
) -> None:
    pack = opened(folder, shared)

    other = opened(folder, shared, **settings)

    assert other.key != pack.key
    assert other.images.shape != pack.images.shape


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("train/cat/0.png", "train/cat/zero.png"),
        ("train/cat/0.png", "train/dog/zero.png"),
        ("train/cat/0.png", "test/cat/zero.png"),
        ("train/cat", "train/kitten"),
    ],
)
def test_another_name_label_or_split_is_another_pack(
    folder: Path, shared: Path, old: str, new: str
) -> None:
    shutil.rmtree(folder / "test/cat") if new == "train/kitten" else None
    (folder / "test/cat").mkdir(exist_ok=True) if "test/cat" in new else None
    pack = opened(folder, shared)

    (folder / old).rename(folder / new)

    assert opened(folder, shared).key != pack.key


def test_the_key_stays_when_the_folder_moves(folder: Path, shared: Path) -> None:
    pack = opened(folder, shared)
    told = Told()

    folder.rename(folder.with_name("elsewhere"))
    moved = opened(folder.with_name("elsewhere"), shared, told)

    assert moved.key == pack.key
    assert told.titles == ["reading 15"]


def test_ignored_files_change_no_key_and_are_told(folder: Path, shared: Path) -> None:
    pack = opened(folder, shared)
    (folder / "train/cat/Thumbs.db").write_bytes(b"")
    told = Told()

    again = opened(folder, shared, told)

    assert again.key == pack.key
    assert again.skipped == {"hidden or system file": 1}
    assert told.said == [f"{folder}: left out 1 x hidden or system file"]


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize(
    "file", [None, "pack.json", "images.npy", "fingerprints.npy", "looks.parquet", "near.npy"]
)
def test_a_deleted_pack_or_file_of_it_is_made_again(
    folder: Path, shared: Path, file: str | None
) -> None:
    pack = opened(folder, shared)
    before = np.array(pack.images)
    place = shared / "packs" / pack.key
    shutil.rmtree(place) if file is None else (place / file).unlink()

    again = opened(folder, shared)

    assert again.key == pack.key
    np.testing.assert_array_equal(again.images, before)


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize(
    "file", ["pack.json", "images.npy", "fingerprints.npy", "looks.parquet", "near.npy"]
)
def test_a_cut_off_file_is_noticed_and_made_again(folder: Path, shared: Path, file: str) -> None:
    pack = opened(folder, shared)
    before = np.array(pack.images)
    damaged = shared / "packs" / pack.key / file
    damaged.write_bytes(damaged.read_bytes()[:-40])

    again = opened(folder, shared)

    np.testing.assert_array_equal(again.images, before)


@pytest.mark.usefixtures("settled")
def test_what_an_earlier_version_did_not_look_for_is_looked_for(folder: Path, shared: Path) -> None:
    pack = opened(folder, shared)
    looks = shared / "packs" / pack.key / "looks.parquet"
    whole = pq.read_table(looks)
    pq.write_table(whole.drop_columns(["peak"]), looks)

    opened(folder, shared)

    assert pq.read_table(looks).equals(whole)


@pytest.mark.usefixtures("settled")
def test_a_pickle_in_the_place_of_pixels_is_never_opened(folder: Path, shared: Path) -> None:
    pack = opened(folder, shared)
    np.save(shared / "packs" / pack.key / "fingerprints.npy", np.array([object()]))

    again = opened(folder, shared)

    np.testing.assert_array_equal(again.fingerprints, pack.fingerprints)


PACKER = """
import os, signal, sys
from pathlib import Path
from understudy.core.progress import Progress, Silent
from understudy.data.pack import examine
from understudy.data.sources.folder import FolderSettings

class Shown(Silent):
    def begin(self, title, total):
        self.title = title
        print(title.split()[0], flush=True)

    def advance(self, count=1, note=""):
        if "packing" in self.title and sys.argv[3:] == ["die"]:
            os.kill(os.getpid(), signal.SIGKILL)

listing = FolderSettings(path=Path(sys.argv[1])).survey()
print(examine(listing, shared=Path(sys.argv[2]), progress=Shown()).pack.images.sum())
"""


def packer(*arguments: str | Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", PACKER, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_of_two_processes_one_packs_and_both_get_the_pack(folder: Path, shared: Path) -> None:
    both = [packer(folder, shared) for _ in range(2)]

    outputs = [process.communicate(timeout=60)[0].split() for process in both]

    assert [process.returncode for process in both] == [0, 0]
    assert sum("packing" in output for output in outputs) == 1
    assert outputs[0][-1] == outputs[1][-1]


def test_a_process_that_waits_for_another_says_so(folder: Path, shared: Path) -> None:
    pack = opened(folder, shared)
    told = Told()
    waiting = Thread(target=opened, args=(folder, shared, told))

    with FileLock(shared / "packs" / f"{pack.key}.lock"):
        waiting.start()
        while not told.said and waiting.is_alive():
            time.sleep(0.01)
    waiting.join(timeout=60)

    assert told.said == [f"{folder}: waiting for another process that is packing it"]


def test_what_a_killed_process_left_is_cleaned_away(
    folder: Path, shared: Path, write_images: WriteImages
) -> None:
    killed = packer(folder, shared, "die")
    killed.communicate(timeout=60)
    assert killed.returncode == -signal.SIGKILL
    assert list((shared / "packs").glob("*.partial"))

    other = write_images(folder.parent / "other", {"a": 1, "b": 1})
    opened(other, shared)

    assert not list((shared / "packs").glob("*.partial"))
    assert len(opened(folder, shared).images) == 15


def test_damaged_labelled_images_are_all_named(folder: Path, shared: Path) -> None:
    for name in ("train/cat/1.png", "train/dog/0.png"):
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content[: len(content) // 2])
    (folder / "test/dog/0.png").write_bytes(b"")

    with pytest.raises(DataError, match="cannot read 3 labelled images") as caught:
        opened(folder, shared)

    assert caught.value.exit_code == 3
    assert "train/cat/1.png: damaged" in str(caught.value)
    assert "train/dog/0.png: damaged" in str(caught.value)
    assert "test/dog/0.png: empty" in str(caught.value)
    assert not [path for path in (shared / "packs").iterdir() if path.is_dir()]


def test_of_very_many_damaged_images_ten_are_shown(
    tmp_path: Path, shared: Path, write_images: WriteImages
) -> None:
    root = write_images(tmp_path / "images", {"a": 1, "b": 1})
    for number in range(20):
        (root / "a" / f"bad{number}.jpg").write_bytes(b"<html>")

    with pytest.raises(DataError, match="cannot read 20 labelled") as caught:
        opened(root, shared)

    assert str(caught.value).count("not an image (") == 10
    assert "... and 10 more" in str(caught.value)


def test_a_file_that_cannot_be_opened_is_named(folder: Path, shared: Path) -> None:
    (folder / "train/cat/gone.png").symlink_to(folder / "nowhere.png")

    with pytest.raises(DataError, match=r"train/cat/gone\.png: unreadable \(No such file"):
        opened(folder, shared)


def test_one_damaged_unlabeled_image_in_a_hundred_is_skipped_and_counted(
    tmp_path: Path, shared: Path, write_images: WriteImages
) -> None:
    root = write_images(tmp_path / "images", {"train/a": 2, "train/b": 2, "unlabeled": 100})
    (root / "unlabeled/7.png").write_bytes(b"")
    told = Told()

    pack = opened(root, shared, told)

    assert pack.skipped == {"unlabeled image: empty": 1}
    assert told.said == [f"{root}: left out 1 x unlabeled image: empty"]
    assert len(pack.images) == len(pack.names) == len(pack.labels) == len(pack.given) == 103
    assert "unlabeled/7.png" not in pack.names
    for index, name in enumerate(pack.names):
        pixels = np.asarray(Image.open(root / name)).transpose(2, 0, 1)
        np.testing.assert_array_equal(pack.images[index], pixels)


def test_more_damaged_unlabeled_images_are_refused(
    tmp_path: Path, shared: Path, write_images: WriteImages
) -> None:
    root = write_images(tmp_path / "images", {"train/a": 2, "train/b": 2, "unlabeled": 100})
    (root / "unlabeled/7.png").write_bytes(b"")
    (root / "unlabeled/8.png").write_bytes(b"GIF8")

    with pytest.raises(
        DataError, match="cannot read 2 of 100 unlabeled images; up to 1%"
    ) as caught:
        opened(root, shared)

    assert "unlabeled/8.png" in str(caught.value)


def test_an_oddity_that_pillow_warns_of_does_no_harm(folder: Path, shared: Path) -> None:
    odd = b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + b"\xff" * 40
    Image.new("RGB", (6, 4), "red").save(folder / "train/cat/odd.png", exif=odd)

    pack = opened(folder, shared)

    assert "train/cat/odd.png" in pack.names


def test_images_of_several_sizes_are_refused_with_the_sizes_and_a_way_out(
    tmp_path: Path, shared: Path, write_images: WriteImages
) -> None:
    root = write_images(tmp_path / "images", {"a": 3}, size=(30, 20))
    write_images(root, {"b": 2}, size=(40, 50))

    with pytest.raises(DataError, match="5 images have 2 sizes") as caught:
        opened(root, shared)

    assert "30 x 20: 3, such as a/0.png; 40 x 50: 2, such as b/0.png" in str(caught.value)
    assert "data.size=20" in str(caught.value)
    assert opened(root, shared, size=20).images.shape == (5, 3, 20, 20)


def test_a_full_disk_is_noticed_before_it_is_full(
    folder: Path, shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = shutil.disk_usage(folder)._replace(free=100)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: free)

    with pytest.raises(StorageError, match="need") as caught:
        opened(folder, shared)

    assert caught.value.exit_code == 6
    assert not list((shared / "packs").glob("*.partial"))


class Fickle(SourceSettings):
    """Images that change every time they are read."""

    def survey(self) -> Listing:
        reads = iter(range(1_000))
        return Listing(
            origin="fickle",
            classes=("a", "b"),
            entries=(Entry("a/0", "", 0), Entry("b/0", "", 1)),
            read=lambda _: np.full((1, 2, 2), next(reads), dtype=np.uint8),
            decoding=None,
            ignored={},
            stamp="",
        )


def test_a_file_that_changes_meanwhile_is_named(shared: Path) -> None:
    with pytest.raises(DataError, match=r"fickle: [ab]/0 changed while it was being read"):
        open_pack(Fickle(), shared=shared)


def test_digits_are_packed_as_they_are_and_once(shared: Path) -> None:
    told = Told()

    pack = open_pack(DigitsSettings(), shared=shared)
    open_pack(DigitsSettings(), shared=shared, progress=told)

    assert told.titles == []
    assert pack.images.shape == (1797, 1, 8, 8)
    assert pack.images.max() == 255


def test_mean_and_deviation_are_those_of_the_chosen_images(folder: Path, shared: Path) -> None:
    pack = opened(folder, shared)
    chosen = np.array([9, 1, 4])

    mean, std = pack.mean_std(chosen)

    values = pack.images[chosen].astype(np.float64) / 255
    np.testing.assert_allclose(mean, values.mean(axis=(0, 2, 3)), rtol=1e-12)
    np.testing.assert_allclose(std, values.std(axis=(0, 2, 3)), rtol=1e-12)


def test_mean_and_deviation_depend_on_no_order_and_no_chunk(
    folder: Path, shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pack = opened(folder, shared)
    whole = pack.mean_std(np.arange(15))

    monkeypatch.setattr("understudy.data.pack.CHUNK", 200)

    assert pack.mean_std(np.arange(15)[::-1]) == whole


def test_a_constant_channel_is_not_divided_by_nothing(folder: Path, shared: Path) -> None:
    pack = opened(folder, shared)._replace(images=np.full((15, 1, 2, 2), 51, dtype=np.uint8))

    assert pack.mean_std(np.arange(15)) == ([0.2], [1.0])


@pytest.mark.slow
@pytest.mark.skipif(not (DATA / "cifar10").exists(), reason="no ../shared/data/cifar10")
def test_the_real_cifar10_comes_out_bit_for_bit(shared: Path) -> None:
    pack = open_pack(ParquetSettings(path=DATA / "cifar10"), shared=shared)

    given = np.array(pack.given)
    for split, expected in CIFAR10_PIXELS.items():
        rows = np.ascontiguousarray(pack.images[given == split].transpose(0, 2, 3, 1))
        assert hashlib.sha256(rows.tobytes()).hexdigest() == expected
    assert len(np.unique(pack.fingerprints, axis=0)) == 60_000
    mean, std = pack.mean_std(np.flatnonzero(given == "train"))
    np.testing.assert_allclose(mean, [0.4914, 0.4822, 0.4465], atol=5e-5)  # as published
    np.testing.assert_allclose(std, [0.2470, 0.2435, 0.2616], atol=5e-5)


@pytest.mark.parametrize(
    ("scaled_by", "kind", "settings", "found"),
    [
        (1, np.uint16, {}, Numbers(kind="whole", white=65_535)),
        (1 / 100, np.uint8, {}, Numbers(kind="whole", white=255)),
        (1e-4, np.float32, {}, Numbers(kind="float", white=1)),
        (1, np.float64, {"white": 1e4}, Numbers(kind="float", white=1e4)),
        (1, np.int16, {"scale": 1e-4}, Numbers(kind="whole", white=1)),
        (1 / 100, np.uint8, {"scale": 0.01}, Numbers(kind="whole", white=1)),
    ],
)
def test_a_pack_knows_what_the_numbers_of_its_bands_were(
    scaled_by: float, kind: Any, settings: dict[str, float], found: Numbers, tmp_path: Path
) -> None:
    root = class_folders(tmp_path / "images", classes=2, each=2)
    for number, place in enumerate(sorted(root.rglob("*.tif"))):
        values = bands(4, height=8, width=8, seed=number)
        place.write_bytes(tiff((values * scaled_by).astype(kind), description="B02 B03 B04 B08"))
    source = FolderSettings.model_validate({"path": root, "bands": "all", **settings})

    made, loaded = (open_pack(source, shared=tmp_path / "shared") for _ in range(2))

    assert made.numbers == loaded.numbers == found
    written = tmp_path / "shared" / "packs" / made.key / "pack.json"
    assert "numbers" not in json.loads(written.read_text()), "older packs know it as well"


def test_nobody_asks_for_the_numbers_of_photographs(folder: Path, tmp_path: Path) -> None:
    assert open_pack(FolderSettings(path=folder), shared=tmp_path / "shared").numbers is None


@pytest.mark.skipif(not TWELVE_BANDS.exists(), reason="no ../shared/data/s2_l2a_12band")
def test_real_images_of_twelve_bands_are_refused_without_noise(
    shared: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(DataError, match="cannot read 112 labelled images") as caught:
        opened(TWELVE_BANDS, shared)

    assert "unsupported (a TIFF" in str(caught.value)
    assert caplog.records == []
