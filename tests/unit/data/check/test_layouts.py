from collections.abc import Sequence

import pytest

from understudy.data.check.layouts import bands_apart
from understudy.data.sources.listing import Entry, Listing


def listing(names: Sequence[str]) -> Listing:
    entries = tuple(Entry(name, "", 0) for name in names)
    return Listing("images", ("a",), entries, lambda _: b"", None, {}, "")


def test_folders_of_single_bands_are_likely_to_be_patches() -> None:
    found = bands_apart(listing(["p/x_B02.tif", "p/x_B8A.tif", "q/y_B02.TIF", "q/y_B03.tiff"]))

    assert [one.severity for one in found] == ["warning"]
    assert "set `data.kind=patches`" in found[0].sentence


@pytest.mark.parametrize(
    "names",
    [
        [],
        ["p/x_B02.tif", "q/y_B02.tif"],
        ["p/x_B02.tif", "p/y_B02.tif", "p/y_B03.tif"],
        ["p/x_B02.tif", "p/x_B03.tif", "p/overview.tif"],
        ["p/x_1.tif", "p/x_2.tif"],
    ],
)
def test_other_names_are_no_sign_of_it(names: list[str]) -> None:
    assert bands_apart(listing(names)) == []
