from typing import Any

import numpy as np
import pytest

from understudy.core.progress import Silent
from understudy.data import decode
from understudy.data.bands.decoding import BandDecoding
from understudy.data.content import content_digest, content_digests, content_key, quick_key
from understudy.data.decode import Decoding
from understudy.data.sources.listing import Entry, Listing

CONTENTS = [b"first", b"second", b"third"]


def read(index: int) -> bytes:
    return CONTENTS[index]


PLAIN = Listing(
    origin="here",
    classes=("cat", "dog"),
    entries=(Entry("a", "train", 0), Entry("b", "test", 1), Entry("c", "unlabeled", -1)),
    read=read,
    decoding=Decoding("rgb", None),
    ignored={},
    stamp="stamp",
)


def key_of(listing: Listing) -> str:
    return content_key(listing, content_digests(listing, Silent()))


def with_entry(entry: Entry) -> dict[str, Any]:
    return {"entries": (entry, *PLAIN.entries[1:])}


DECISIVE: list[dict[str, Any]] = [
    {"classes": ("dog", "cat")},
    {"decoding": Decoding("grey", None)},
    {"decoding": Decoding("rgb", 32)},
    {"decoding": None},
    with_entry(Entry("z", "train", 0)),
    with_entry(Entry("a", "val", 0)),
    with_entry(Entry("a", "train", 1)),
    with_entry(Entry("a", "train", 0, "scene")),
]


@pytest.mark.parametrize("change", [*DECISIVE, {"read": lambda index: CONTENTS[index - 1]}])
def test_the_key_changes_with_all_that_decides_pixels_and_labels(change: dict[str, Any]) -> None:
    assert key_of(PLAIN._replace(**change)) != key_of(PLAIN)


@pytest.mark.parametrize("change", [{"origin": "there"}, {"stamp": ""}, {"ignored": {"x": 1}}])
def test_the_key_changes_with_nothing_else(change: dict[str, Any]) -> None:
    assert key_of(PLAIN._replace(**change)) == key_of(PLAIN)


@pytest.mark.parametrize("change", [*DECISIVE, {"stamp": "another"}])
def test_the_quick_key_changes_with_the_stamp_and_all_but_the_bytes(
    change: dict[str, Any],
) -> None:
    assert quick_key(PLAIN._replace(**change)) != quick_key(PLAIN)


def test_an_image_without_a_group_has_the_key_that_it_had_before_there_were_groups() -> None:
    """Computed by the code of before: packs that lie on disks stay in use."""
    assert key_of(PLAIN) == "9cff904537af8bd8fa8d1a45aa3279d8"


def test_bands_without_a_scale_have_the_key_that_they_had_before_there_were_scales() -> None:
    """Likewise, for bands as they are and with all that could be said of them."""
    bare = BandDecoding(bands=("B04", "B08"))
    full = bare._replace(names=("B04", "B08"), white=2.0, nodata="ignore")
    told = PLAIN._replace(decoding=full)

    assert key_of(PLAIN._replace(decoding=bare)) == "2c8ade32966b059477bb8ad86e31598c"
    assert key_of(told) == "cd41edcf2e10eb795f870a19e053d4df"
    assert quick_key(told) == "d137b41b393711945df46e61741f3002"
    assert key_of(PLAIN._replace(decoding=full._replace(scale=1.0))) != key_of(told)


def test_without_a_stamp_there_is_no_quick_key() -> None:
    assert quick_key(PLAIN._replace(stamp="")) == ""


def test_another_version_of_the_decoder_is_another_key(monkeypatch: pytest.MonkeyPatch) -> None:
    before = key_of(PLAIN), quick_key(PLAIN)

    monkeypatch.setattr(decode, "VERSION", decode.VERSION + 1)

    assert key_of(PLAIN) != before[0]
    assert quick_key(PLAIN) != before[1]


def test_pixels_are_told_apart_by_shape_too() -> None:
    flat = np.zeros((1, 2, 8), dtype=np.uint8)

    assert content_digest(flat) != content_digest(flat.reshape(1, 4, 4))


def test_a_file_that_cannot_be_read_has_an_empty_digest() -> None:
    def failing(index: int) -> bytes:
        raise PermissionError(13, "Permission denied", str(index))

    assert content_digests(PLAIN._replace(read=failing), Silent()) == [b"", b"", b""]
