"""Schemes over packs of every source: counts, test sets that stay, pools that leave them out."""

import csv
import random
from collections import Counter
from itertools import combinations
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.rasters import patch

from understudy.core.errors import DataError, UsageError
from understudy.core.progress import Silent
from understudy.core.settings import checked
from understudy.data.fingerprint import groups_of
from understudy.data.labels import FewLabelsSettings, few_labels
from understudy.data.opening import Opened, open_checked
from understudy.data.pack import Pack
from understudy.data.settings import DataSettings
from understudy.data.splits import Splits, split
from understudy.stages.material import pool_of

PER_CLASS = {"corn": 20, "pasture": 40, "river": 60, "vines": 30}
SCHEMES = {
    "balanced": {"classes": {"positive": ["corn"]}, "otherwise": "negative", "sample": "balanced"},
    "expanded": {
        "classes": {"positive": ["corn", "vines"]},
        "otherwise": "negative",
        "sample": "balanced",
    },
    "three": {"classes": {"field": ["corn", "vines"], "water": ["river"], "green": ["pasture"]}},
}
SHARES = {"test": 0.15, "validation": 0.15, "validation_of": "all"}


def png(value: int) -> bytes:
    from io import BytesIO

    from PIL import Image

    pixels = np.random.default_rng(value).integers(0, 256, (10, 10, 3), dtype=np.uint8)
    stream = BytesIO()
    Image.fromarray(pixels).save(stream, format="PNG")
    return stream.getvalue()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Class folders, their files written in no order."""
    files = [(name, number) for name, count in PER_CLASS.items() for number in range(count)]
    random.Random(3).shuffle(files)
    for name, number in files:
        place = tmp_path / "images" / name / f"{number:03}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(png(crc32(f"{name} {number}".encode())))
    return tmp_path / "images"


def seen(
    root: Path,
    data: dict[str, Any],
    splitting: dict[str, Any] | None = None,
    *,
    schemes: dict[str, Any] = SCHEMES,
    scheme: str | None = None,
) -> tuple[Pack, Splits]:
    values = {"data": data, "split": splitting or SHARES, "schemes": schemes, "scheme": scheme}
    settings = checked(DataSettings, values, "test")
    found = open_checked(settings, runs=root / "runs", shared=root / "shared", progress=Silent())
    found.check.must_serve()
    assert found.pack is not None
    return found.pack, split(found.pack, settings.split)


def counts(pack: Pack, images: np.ndarray[Any, Any]) -> dict[str, int]:
    return dict(Counter(pack.classes[label] for label in pack.labels[images]))


def names(pack: Pack, images: np.ndarray[Any, Any]) -> set[str]:
    return {pack.names[place] for place in images}


def test_a_balanced_scheme_is_split_70_15_15_and_the_rest_is_unlabeled(
    folder: Path, tmp_path: Path
) -> None:
    pack, splits = seen(tmp_path, {"path": folder}, scheme="balanced")

    assert counts(pack, splits.train) == {"positive": 14, "negative": 14}
    assert counts(pack, splits.val) == counts(pack, splits.test) == {"positive": 3, "negative": 3}
    assert len(splits.unlabeled) == 110
    assert len(pool_of(splits)) + len(splits.val) + len(splits.test) == 150


def test_one_pack_serves_all_schemes_and_is_decoded_once(folder: Path, tmp_path: Path) -> None:
    keys = {seen(tmp_path, {"path": folder}, scheme=name)[0].key for name in (None, *SCHEMES)}

    assert len(keys) == 1
    assert len(list((tmp_path / "shared" / "packs").glob("*/pack.json"))) == 1


def test_the_pool_of_a_shared_pretraining_is_all_but_the_test_sets(
    folder: Path, tmp_path: Path
) -> None:
    union: set[str] = set()
    for name in ("balanced", "expanded"):
        own, of_own = seen(tmp_path, {"path": folder}, scheme=name)
        union |= names(own, of_own.test)

    pack, splits = seen(
        tmp_path, {"path": folder}, {**SHARES, "keep_out": ["balanced", "expanded"]}
    )

    assert names(pack, splits.test) == union
    everything = np.concatenate([splits.train, splits.val, splits.unlabeled])
    assert names(pack, everything) == set(pack.names) - union
    assert pack.classes == tuple(PER_CLASS), "its own classes are those of the data"


def test_what_is_kept_out_moves_no_test_image_of_the_own_scheme(
    folder: Path, tmp_path: Path
) -> None:
    alone, of_alone = seen(tmp_path, {"path": folder}, scheme="balanced")
    out = {**SHARES, "keep_out": ["balanced", "expanded"]}  # its own name changes nothing
    beside, splits = seen(tmp_path, {"path": folder}, out, scheme="balanced")
    expanded, of_expanded = seen(tmp_path, {"path": folder}, scheme="expanded")

    assert splits.test.tolist() == of_alone.test.tolist()
    learned = np.concatenate([splits.train, splits.val, splits.unlabeled])
    assert not np.isin(learned, of_expanded.test).any()
    assert len(pool_of(splits)) < len(pool_of(of_alone))
    assert alone.key == beside.key == expanded.key


def test_no_two_parts_share_a_picture_whatever_it_is_called(folder: Path, tmp_path: Path) -> None:
    for name in ("river", "pasture"):  # every tenth is a copy of another class's
        for number in range(0, 40, 10):
            (folder / name / f"copy{number}.png").write_bytes(
                (folder / "corn" / f"{number // 2:03}.png").read_bytes()
            )

    for scheme in (None, *SCHEMES):
        out = [] if scheme else ["balanced", "expanded"]
        pack, splits = seen(tmp_path, {"path": folder}, {**SHARES, "keep_out": out}, scheme=scheme)
        pictures = groups_of(pack.fingerprints)
        parts = [set(pictures[part].tolist()) for part in splits[:4]]
        assert all(not one & other for one, other in combinations(parts[:3], 2))
        assert not parts[3] & parts[2], "nor does the pool hold a test picture"


def test_the_same_images_are_drawn_from_folder_table_and_shuffled_table(
    folder: Path, tmp_path: Path
) -> None:
    rows = [
        (path.relative_to(folder).as_posix(), path.parent.name) for path in folder.rglob("*.png")
    ]
    drawn = []
    for seed in (0, 1):
        random.Random(seed).shuffle(rows)
        table = folder / f"table{seed}.csv"
        with table.open("w", newline="") as file:
            csv.writer(file).writerows([("path", "label"), *rows])
        drawn.append(seen(tmp_path, {"path": table}, scheme="expanded"))
    drawn.append(seen(tmp_path, {"path": folder, "kind": "folder"}, scheme="expanded"))

    first, *others = [[names(pack, part) for part in splits[:4]] for pack, splits in drawn]
    assert all(other == first for other in others)


def test_a_scheme_serves_parquet_and_keeps_its_test_split(tmp_path: Path) -> None:
    kinds, start = ["corn", "river", "vines"], 0
    for part, each in (("train", 12), ("test", 5)):
        labels = [label for label in range(3) for _ in range(each * (label + 1))]
        images = [{"bytes": png(start + number), "path": None} for number in range(len(labels))]
        start += len(labels)
        place = tmp_path / "data" / f"{part}-00000-of-00001.parquet"
        place.parent.mkdir(exist_ok=True)
        pq.write_table(pa.table({"image": images, "label": labels}), place)
    schemes = {
        "a": {"classes": {"yes": ["corn"], "no": ["river"]}, "sample": "balanced"},
    }

    data = {"kind": "parquet", "path": tmp_path / "data", "classes": kinds}

    pack, splits = seen(tmp_path, data, schemes=schemes, scheme="a")

    assert counts(pack, splits.test) == {"yes": 5, "no": 5}
    assert sum(counts(pack, np.concatenate([splits.train, splits.val])).values()) == 24
    assert len(splits.unlabeled) == 72 - 24, "test images that are not drawn are in no pool"


def test_patches_of_several_labels_need_a_scheme_and_a_pretraining_does_not(tmp_path: Path) -> None:
    for number in range(8):
        patch(tmp_path / "p", f"a_{number}", "Rice", "Pasture", seed=10 * number)
        patch(tmp_path / "p", f"b_{number}", "Pasture", seed=10 * number + 200)
    data = {"kind": "patches", "path": tmp_path / "p", "bands": ["B02"]}
    schemes = {"wet": {"classes": {"yes": ["Rice"]}, "otherwise": "no"}}
    where = {"runs": tmp_path / "runs", "shared": tmp_path / "shared", "progress": Silent()}

    class Unlabeled(DataSettings):
        needs_classes = False

    def looked_at(kind: type[DataSettings], **more: Any) -> Opened:
        values = {"data": data, "schemes": schemes, **more}
        return open_checked(checked(kind, values, "test"), **where)  # type: ignore[arg-type]

    with pytest.raises(DataError, match=r"several labels each \(Pasture, Rice\).*`scheme=`: wet"):
        looked_at(DataSettings).check.must_serve()
    looked_at(DataSettings, scheme="wet").check.must_serve()
    bare = looked_at(Unlabeled, split={"keep_out": ["wet"], "test": 0.25})
    bare.check.must_serve()
    assert bare.pack is not None
    splits = split(bare.pack, checked(DataSettings, {"split": {"keep_out": []}}, "test").split)
    assert len(splits.test) == 4
    assert len(splits.unlabeled) == 12
    assert len(splits.train) == len(splits.val) == 0


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"scheme": "balancd"}, "'balancd' is not among `schemes`; did you mean 'balanced'"),
        ({"split": {"keep_out": ["x"]}}, "split.keep_out: 'x' is not among `schemes`"),
        ({"split": {"test": 0.6, "validation": 0.4, "validation_of": "all"}}, "takes all images"),
    ],
)
def test_settings_that_name_no_scheme_or_leave_nothing_are_refused(
    more: dict[str, Any], told: str
) -> None:
    with pytest.raises(UsageError, match=told):
        checked(DataSettings, {"schemes": SCHEMES, **more}, "recipe")


def test_mistakes_of_a_scheme_stop_before_anything_is_trained(folder: Path, tmp_path: Path) -> None:
    schemes = {"a": {"classes": {"yes": ["corm"]}, "otherwise": "no"}}
    values = {"data": {"path": folder}, "schemes": schemes, "scheme": "a"}
    found = open_checked(
        checked(DataSettings, values, "test"),
        runs=tmp_path / "runs",
        shared=tmp_path / "shared",
        progress=Silent(),
    )

    with pytest.raises(DataError, match="Did you mean 'corn'"):
        found.check.must_serve()


def test_the_table_of_counts_says_what_is_drawn(folder: Path, tmp_path: Path) -> None:
    values = {"data": {"path": folder}, "split": SHARES, "schemes": SCHEMES, "scheme": "expanded"}
    settings = checked(DataSettings, values, "test")
    found = open_checked(
        settings, runs=tmp_path / "runs", shared=tmp_path / "shared", progress=Silent()
    )
    assert found.pack is not None
    pack, splits = found.pack, split(found.pack, settings.split)

    (told,) = found.check.as_json()["schemes"]

    assert (told["scheme"], told["pool"]) == ("expanded", len(pool_of(splits)))
    for place, share in enumerate(told["shares"]):
        few = FewLabelsSettings(fraction=share, validation_fraction=share)
        for name, images in (("train", splits.train), ("val", splits.val)):
            drawn = few_labels(
                pack.labels,
                images,
                classes=pack.classes,
                settings=few,
                split=name,  # type: ignore[arg-type]
                seed=1,
            )
            expected = counts(pack, drawn)
            assert {one["class"]: one[name][place] for one in told["classes"]} == expected
    assert {one["class"]: one["test"] for one in told["classes"]} == counts(pack, splits.test)


def test_a_table_may_give_an_image_several_labels(folder: Path, tmp_path: Path) -> None:
    also = {"corn": "corn; field", "vines": "vines;field", "river": "river", "pasture": ""}
    rows = [
        (path.relative_to(folder).as_posix(), also[path.parent.name])
        for path in folder.rglob("*.png")
    ]
    table = folder / "several.csv"
    with table.open("w", newline="") as file:
        csv.writer(file).writerows([("path", "label"), *rows])
    schemes = {"fields": {"classes": {"field": ["field"]}, "otherwise": "other"}}
    data = {"path": table, "label_separator": ";"}

    pack, splits = seen(tmp_path, data, schemes=schemes, scheme="fields")

    assert pack.tags == ("corn", "field", "river", "vines")
    labelled = np.concatenate([splits.train, splits.val, splits.test])
    assert counts(pack, labelled) == {"field": 50, "other": 60}
    assert len(splits.unlabeled) == 40, "no label is no other label"
