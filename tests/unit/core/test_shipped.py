"""Recipes and studies that come with the package."""

from pathlib import Path

import pytest

from understudy.core.errors import UsageError
from understudy.core.shipped import found, shipped_names


def test_every_shipped_study_is_found_by_its_name() -> None:
    for name in shipped_names("studies"):
        assert found(name, folder="studies", what="study").stem == name
        assert found(f"studies/{name}", folder="studies", what="study").stem == name


def test_a_file_of_the_user_is_found_by_its_path(tmp_path: Path) -> None:
    path = tmp_path / "my study, neu.yaml"
    path.touch()

    assert found(str(path), folder="studies", what="study") == path


def test_a_folder_without_files_has_no_names() -> None:
    assert shipped_names("no-such-stage") == []


@pytest.mark.parametrize("asked", ["", "nothing", "x" * 5000, "a\0b", "..", "-x"])
def test_what_is_neither_name_nor_file_is_refused(asked: str) -> None:
    with pytest.raises(UsageError, match=r"no study is called|no such file"):
        found(asked, folder="studies", what="study")
