"""Taking things away."""

from pathlib import Path

import pytest
from filelock import FileLock

from understudy.core.errors import UsageError
from understudy.core.locks import is_held
from understudy.core.removal import remove_run, remove_shared


def a_run(root: Path) -> Path:
    path = root / "run"
    (path / "checkpoints").mkdir(parents=True)
    for name in ("summary.json", "config.yaml", "checkpoints/model"):
        (path / name).write_text("x")
    return path


def test_a_run_goes_with_all_that_lies_in_it(tmp_path: Path) -> None:
    path = a_run(tmp_path)

    remove_run(path)

    assert not path.exists()


def test_a_run_in_which_a_process_works_stays_whole(tmp_path: Path) -> None:
    path = a_run(tmp_path)

    with FileLock(path / ".lock"):
        assert is_held(path / ".lock")
        with pytest.raises(UsageError, match="another process"):
            remove_run(path)

    assert (path / "summary.json").exists()
    assert not is_held(path / ".lock")


def test_what_links_lead_to_stays(tmp_path: Path) -> None:
    path, outside = a_run(tmp_path), tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_text("x")
    (path / "folder").symlink_to(outside)
    (path / "checkpoints" / "file").symlink_to(outside / "precious")

    remove_run(path)

    assert not path.exists()
    assert (outside / "precious").read_text() == "x"


@pytest.mark.parametrize("remove", [remove_run, lambda path: remove_shared(path, lock=None)])
def test_a_link_is_not_removed_for_what_it_leads_to(tmp_path: Path, remove: object) -> None:
    path, link = a_run(tmp_path), tmp_path / "link"
    link.symlink_to(path)

    with pytest.raises(UsageError, match="a link"):
        remove(link)  # type: ignore[operator]

    assert (path / "summary.json").exists()


def test_a_removal_that_is_cut_off_leaves_an_unfinished_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = a_run(tmp_path)

    def cut_off(_: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("shutil.rmtree", cut_off)
    with pytest.raises(KeyboardInterrupt):
        remove_run(path)

    assert (path / "config.yaml").exists()
    assert not (path / "summary.json").exists()
