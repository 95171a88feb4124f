"""What may go, and above all what may not."""

import os
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from hypothesis import given, settings
from hypothesis import strategies as st

from understudy.results.inventory import inventory
from understudy.results.spare import proposal


def names(root: Path, *, unused: bool = False) -> set[str]:
    return {one.path.name for one in proposal(inventory(root), unused=unused).spare}


def test_an_unfinished_run_of_no_study_goes_and_one_that_runs_stays(
    stored: Any, tmp_path: Path
) -> None:
    gone = stored.store(tmp_path, "gone", finished=False)
    works = stored.store(tmp_path, "works", finished=False)
    asked = stored.store(tmp_path, "asked", finished=False)
    stored.study(tmp_path, "s", [stored.waited_for(asked)])

    with FileLock(works / ".lock"):
        assert names(tmp_path, unused=True) == {gone.name}


def test_a_finished_run_goes_only_when_asked_for(stored: Any, tmp_path: Path) -> None:
    alone = stored.store(tmp_path, "alone")

    assert names(tmp_path) == set()
    assert names(tmp_path, unused=True) == {alone.name}
    assert "--unused" in proposal(inventory(tmp_path), unused=False).kept[0]


def test_what_a_kept_run_was_made_from_stays(stored: Any, tmp_path: Path) -> None:
    stored.store(tmp_path, "grandparent")
    stored.store(tmp_path, "parent", parents=["grandparent"])
    child = stored.store(tmp_path, "child", parents=["parent"], finished=False)

    with FileLock(child / ".lock"):
        assert names(tmp_path, unused=True) == set()
    assert len(names(tmp_path, unused=True)) == 3


def test_what_a_study_that_has_not_begun_will_need_stays(stored: Any, tmp_path: Path) -> None:
    stored.store(tmp_path, "grandparent", pack="p")
    teacher = stored.store(tmp_path, "teacher", parents=["grandparent"], pack="p")
    stored.pack(tmp_path, "its images")
    folder = stored.study(tmp_path, "s", [], outside=[str(teacher)], packs=["its images"])

    assert names(tmp_path, unused=True) == set()
    (folder / "study.json").unlink()
    assert len(names(tmp_path, unused=True)) == 3


def test_packs_of_no_run_go_and_not_while_a_run_has_not_said_which(
    stored: Any, tmp_path: Path
) -> None:
    stored.store(tmp_path, "a", pack="used")
    stored.pack(tmp_path, "used")
    stored.pack(tmp_path, "spare")
    assert names(tmp_path) == {"spare"}

    early = stored.store(tmp_path, "early", finished=False)
    with FileLock(early / ".lock"):
        assert names(tmp_path) == set()


def test_a_bank_goes_with_its_teacher(stored: Any, tmp_path: Path) -> None:
    teacher = stored.store(tmp_path, "teacher", weights="a1", pack="p")
    stored.bank(tmp_path, "kept", of="a1")
    stored.bank(tmp_path, "spare", of="b2")
    (tmp_path / "shared" / "banks" / "begun").mkdir()
    assert names(tmp_path) == {"spare"}
    assert names(tmp_path, unused=True) == {teacher.name, "kept", "spare"}

    stored.study(tmp_path, "s", []).joinpath("study.json").write_text("{")
    assert names(tmp_path) == set(), "any run may be needed, and so any bank"


def test_what_a_kill_left_goes_and_what_is_being_written_stays(stored: Any, tmp_path: Path) -> None:
    run = stored.store(tmp_path, "a", finished=False)
    (run / ".model.1.partial").write_text("x")
    stored.study(tmp_path, "s", [stored.waited_for(run)])
    half = tmp_path / "shared" / "packs" / "k.partial"
    half.mkdir(parents=True)
    fresh, old = (tmp_path / "studies" / "s" / f".rows.{n}.partial" for n in (1, 2))
    fresh.write_text("x")
    old.write_text("x")
    os.utime(old, (1, 1))

    assert names(tmp_path) == {".model.1.partial", "k.partial", old.name}
    with FileLock(run / ".lock"), FileLock(half.with_suffix(".lock")):
        assert names(tmp_path) == {old.name}


@pytest.mark.parametrize("text", ["{", "[]", '{"name": "s"}', '{"runs": {}}'])
def test_a_study_that_cannot_be_read_may_need_anything(
    stored: Any, tmp_path: Path, text: str
) -> None:
    stored.store(tmp_path, "alone")
    stored.store(tmp_path, "stopped", finished=False)
    stored.pack(tmp_path, "p")
    (stored.study(tmp_path, "s", []) / "study.json").write_text(text)

    found = proposal(inventory(tmp_path), unused=True)

    assert found.spare == ()
    assert "studies/s" in found.kept[0]


def test_folders_that_only_look_like_runs_are_never_proposed(stored: Any, tmp_path: Path) -> None:
    own = stored.store(tmp_path, "mine", finished=False)
    own.rename(own.with_name("my-favourite"))
    (tmp_path / "project" / "src").mkdir(parents=True)
    (tmp_path / "project" / "config.yaml").write_text("a: 1\n")
    (tmp_path / "project" / "src" / "config.yaml").write_text("a: 1\n")
    elsewhere = stored.store(tmp_path / "elsewhere", "linked", finished=False)
    (tmp_path / "train" / elsewhere.name).symlink_to(elsewhere)

    assert names(tmp_path, unused=True) == set()


MOST = 7
GRAPH = st.integers(1, MOST).flatmap(
    lambda count: st.tuples(
        st.just(count),
        st.sets(st.tuples(st.integers(0, count - 1), st.integers(0, count - 1)), max_size=10),
        *(st.sets(st.integers(0, count - 1)) for _ in range(4)),
        st.booleans(),
    )
)


@given(GRAPH)
@settings(max_examples=60)
def test_no_needed_run_is_ever_proposed_whatever_the_graph(
    stored: Any,
    graph: tuple[int, set[tuple[int, int]], set[int], set[int], set[int], set[int], bool],
) -> None:
    """Circles, runs that name themselves, and parents that are not finished are among the graphs.

    The oracle walks the graph that was drawn, not the files.
    """
    count, edges, unfinished, in_study, waited, locked, unused = graph
    with tempfile.TemporaryDirectory() as folder, ExitStack() as locks:
        root = Path(folder)
        paths = [
            stored.store(
                root,
                f"r{one}",
                parents=[f"r{parent}" for child, parent in edges if child == one],
                finished=one not in unfinished,
            )
            for one in range(count)
        ]
        entries = [stored.named(paths[one]) for one in in_study] + [
            stored.waited_for(paths[w]) for w in waited
        ]
        stored.study(root, "s", entries)
        for one in locked:
            locks.enter_context(FileLock(paths[one] / ".lock"))

        proposed = names(root, unused=unused)

    running = locked
    kept = in_study | waited | running
    if not unused:
        kept |= set(range(count)) - unfinished
    for _ in range(count):
        kept |= {parent for child, parent in edges if child in kept}
    assert not proposed & {f"r{one}-{stored.identity_of(f'r{one}')}" for one in kept}
    assert proposed == {
        f"r{o}-{stored.identity_of(f'r{o}')}" for o in range(count) if o not in kept
    }
