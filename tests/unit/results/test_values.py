import json
from pathlib import Path
from typing import Any

import pytest

from understudy.results.values import number, read_object, whole


@pytest.mark.parametrize("odd", [None, "5", True, float("nan"), float("inf"), 1e31, [], {}])
def test_what_is_no_finite_number_is_none(odd: Any) -> None:
    assert number(odd) is None


def test_numbers_and_whole_numbers_pass() -> None:
    assert (number(0.5), number(3), whole(3.0), whole(3.5)) == (0.5, 3, 3, None)


def test_an_absent_file_is_empty_without_a_reason(tmp_path: Path) -> None:
    assert read_object(tmp_path / "none.json") == ({}, "")


@pytest.mark.parametrize("content", ["{", "", "[1]", "\x00", json.dumps("text")])
def test_a_file_that_is_no_object_is_empty_with_a_reason(tmp_path: Path, content: str) -> None:
    path = tmp_path / "summary.json"
    path.write_text(content)

    found, reason = read_object(path)

    assert found == {}
    assert reason.startswith("summary.json ")
