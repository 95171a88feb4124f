"""What lies in a folder of runs."""

import io
import json
import os
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from rich.cells import cell_len
from rich.console import Console

from understudy.results.errors import ReportError
from understudy.results.inventory import inventory
from understudy.results.inventory_screen import age, listed, show_inventory, tabbed
from understudy.results.pointed_at import pointed_at


def states(root: Path) -> dict[str, str]:
    return {run.record.name: run.state for run in inventory(root).runs}


def test_every_state_is_told(stored: Any, tmp_path: Path) -> None:
    stored.store(tmp_path, "done")
    stored.store(tmp_path, "stopped", finished=False)
    wild = stored.store(tmp_path, "wild", finished=False)
    working = stored.store(tmp_path, "working", finished=False)
    torn = stored.store(tmp_path, "torn")
    (torn / "summary.json").write_text("{")
    stored.study(tmp_path, "s", [stored.waited_for(wild, error="diverged")])

    with FileLock(working / ".lock"):
        assert states(tmp_path) == {
            "done": "finished",
            "stopped": "unfinished",
            "wild": "failed",
            "working": "running",
            "torn": "damaged",
        }
    assert states(tmp_path)["working"] == "unfinished"


def test_the_newest_comes_first_and_studies_are_named(stored: Any, tmp_path: Path) -> None:
    old = stored.store(tmp_path, "old", when="2026-01-01T00:00:00Z")
    stored.store(tmp_path, "new", when="2026-06-01T00:00:00Z")
    stored.study(tmp_path, "one", [stored.named(old)])
    stored.study(tmp_path, "two", [stored.named(old), {"odd": 1}])

    runs = inventory(tmp_path).runs

    assert [(run.record.name, run.studies) for run in runs] == [
        ("new", ()),
        ("old", ("one", "two")),
    ]
    assert [run.seed for run in runs] == [3, 3]


def test_sizes_are_what_the_disk_gives_and_links_weigh_nothing(stored: Any, tmp_path: Path) -> None:
    outside = tmp_path / "outside.bin"
    outside.write_bytes(os.urandom(300_000))
    run = stored.store(tmp_path / "runs", "a")
    (run / "weights").write_bytes(os.urandom(100_000))
    (run / "link").symlink_to(outside)

    found = inventory(tmp_path / "runs")

    assert 100_000 <= found.runs[0].size < 150_000
    assert found.size == found.runs[0].size


def test_what_is_shared_has_a_line_each(stored: Any, tmp_path: Path) -> None:
    run = stored.store(tmp_path, "a", pack="p1", weights="a1")
    stored.pack(tmp_path, "p1")
    stored.bank(tmp_path, "b1", of="a1")
    (tmp_path / "shared" / "machine").mkdir()
    stored.study(tmp_path, "s", [])
    stream = io.StringIO()

    found = inventory(tmp_path)
    show_inventory(found, Console(file=stream, width=80))

    beside = [(one.what, one.path.name) for one in found.shared]
    assert beside == [("pack", "p1"), ("bank", "b1"), ("shared", "machine"), ("study", "s")]
    assert "images of 1 run" in stream.getvalue()
    assert f"answers of train/{run.name}"[:20] in stream.getvalue()


def test_a_folder_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="does not exist"):
        inventory(tmp_path / "gone")


@pytest.mark.parametrize("name", ["a", "ein-sehr-langer-name-" * 4, "名前" * 20, "\x1b[31mred"])
def test_eighty_columns_are_enough(stored: Any, tmp_path: Path, name: str) -> None:
    path = stored.store(tmp_path, name.replace("/", ""))
    stored.study(tmp_path, "a-study-with-a-long-name-0123abcd", [stored.named(path)])
    stream = io.StringIO()

    show_inventory(inventory(tmp_path), Console(file=stream, width=80))

    lines = stream.getvalue().splitlines()
    assert max(map(cell_len, lines[:-1])) <= 80
    assert "\x1b" not in stream.getvalue()
    assert stored.identity_of(name.replace("/", ""))[:6] in stream.getvalue()


def test_lines_for_a_pipe_have_one_tab_between_values(stored: Any, tmp_path: Path) -> None:
    path = stored.store(tmp_path, "a")
    stored.pack(tmp_path, "p1")

    head, *lines = list(tabbed(inventory(tmp_path)))

    rows = [dict(zip(head.split("\t"), line.split("\t"), strict=True)) for line in lines]
    assert rows[0]["path"] == str(path)
    assert rows[0]["changed"] == "2026-11-20T10:00:00Z"
    assert [row["what"] for row in rows] == ["train", "pack"]
    assert json.loads(json.dumps(listed(inventory(tmp_path))))[0]["identity"] == stored.identity_of(
        "a"
    )


def test_a_run_is_meant_by_any_beginning_that_is_its_own(stored: Any, tmp_path: Path) -> None:
    path = stored.store(tmp_path, "student")
    stored.store(tmp_path, "teacher")
    found = inventory(tmp_path)

    for asked in (str(path), "train/stu", path.name, stored.identity_of("student")[:5], "student"):
        assert pointed_at(found, asked).record.name == "student"
    for asked, complaint in (
        ("train/", "may mean 2 runs"),
        ("nobody", "no run in"),
        ("", "may mean 2"),
    ):
        with pytest.raises(ReportError, match=complaint):
            pointed_at(found, asked)


@pytest.mark.parametrize(
    ("seconds", "told"), [(-5, "0 s"), (59, "59 s"), (60, "1 min"), (7200, "2 h"), (9e5, "10 d")]
)
def test_an_age_is_told_in_its_largest_unit(seconds: float, told: str) -> None:
    assert age(seconds) == told
