"""Places that settings of images name."""

from pathlib import Path
from typing import Any

import pytest

from understudy.core.errors import UsageError
from understudy.data.sources.places import places_must_exist


def test_every_place_is_looked_at(tmp_path: Path) -> None:
    here = {"kind": "folder", "path": str(tmp_path)}
    places_must_exist(here)

    with pytest.raises(UsageError, match=r"data\.path = .*gone: does not exist"):
        places_must_exist({"kind": "folder", "path": str(tmp_path / "gone")})
    with pytest.raises(UsageError, match=r"data\.unlabeled"):
        places_must_exist({**here, "unlabeled": str(tmp_path / "gone")})


@pytest.mark.parametrize(
    "data", [None, "x", [], {}, {"kind": "digits"}, {"kind": "none", "path": "gone"}, {"path": 3}]
)
def test_what_is_wrong_otherwise_is_left_to_whoever_builds_the_settings(data: Any) -> None:
    places_must_exist(data)
