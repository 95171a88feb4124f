"""`understudy runs list|show|clean`, as a person types them."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from understudy.cli import main
from understudy.cli.differing import differing
from understudy.core.yaml import read_yaml


@pytest.fixture
def runs(stored: Any, tmp_path: Path) -> Path:
    """A study of two runs, a run of nobody, and a pack that nothing uses."""
    root = tmp_path / "runs"
    teacher = stored.store(root, "teacher", pack="p1")
    student = stored.store(root, "student", stage="distill", parents=["teacher"], pack="p1")
    stopped = stored.store(root, "stopped", finished=False, pack="p1")
    stored.study(
        root, "few", [stored.named(student), stored.waited_for(stopped, error="diverged at step 7")]
    )
    stored.store(root, "nobody", finished=False, pack="p1")
    stored.pack(root, "p1")
    stored.pack(root, "p2")
    assert teacher.exists()
    return root


def there(runs: Path) -> set[str]:
    places = (*runs.glob("*/*-*"), *runs.glob("shared/packs/p?"))
    return {path.name.split("-")[0] for path in places}


ALL = {"teacher", "student", "stopped", "nobody", "p1", "p2"}


def test_in_a_pipe_a_list_has_tabs_and_as_json_it_is_json(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["runs", "list", str(runs)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert {line.count("\t") for line in lines} == {6}

    assert main(["runs", "list", str(runs), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {one["state"] for one in found["found"]} == {"finished", "failed", "unfinished", ""}


def test_on_a_terminal_a_list_fits_and_ends_with_the_sum(runs: Path, watched: Any) -> None:
    terminal = watched()

    assert main(["runs", "list", str(runs)]) == 0

    lines = terminal.getvalue().splitlines()
    assert max(map(len, lines[:-1])) <= 80
    assert lines[-1].startswith("4 runs, ")
    assert "images of 4 runs" in "\n".join(lines)


def test_a_run_is_shown_with_its_parents_and_why_it_is_not_finished(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["runs", "show", "stopped", "--runs", str(runs)]) == 0
    assert "failed: diverged at step 7" in capsys.readouterr().out

    assert main(["runs", "show", "student", "--runs", str(runs)]) == 0
    shown = capsys.readouterr().out
    assert "made from:\n  train/teacher-" in shown
    assert "seed=3" in shown

    assert main(["runs", "show", str(next(runs.glob("train/nobody-*")))]) == 0
    assert "not finished: it was stopped" in capsys.readouterr().out

    assert main(["runs", "show", "sdutent", "--runs", str(runs)]) == 2
    assert "did you mean" in capsys.readouterr().err


def test_only_what_differs_from_the_defaults_is_shown(tmp_path: Path) -> None:
    """On the settings that a real run wrote, defaults and all."""
    words = ["train", "digits", "plan.batch_size=31", f"--runs={tmp_path}", "plan.epochs=null"]
    words += ["plan.steps=1", "machine.precision=fp32", "machine.compile=never"]
    assert main([*words, "machine.memory_format=contiguous", "labels.per_class=null"]) == 0
    (run,) = tmp_path.glob("train/*-*")

    told = differing("train", read_yaml(run / "config.yaml")["settings"])

    assert {"plan.batch_size=31", "plan.steps=1", "plan.epochs=null"} <= set(told)
    assert not [word for word in told if word.startswith(("split", "labels.fraction", "data.kind"))]


def test_cleaning_in_a_pipe_only_lists(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs", "clean", str(runs)]) == 2

    shown = capsys.readouterr()
    assert "train/nobody-" in shown.out
    assert "--yes" in shown.err
    assert there(runs) == ALL


@pytest.mark.parametrize(
    ("answer", "left"), [("n", ALL), ("", ALL), ("yes", ALL - {"nobody", "p2"})]
)
def test_cleaning_asks_first(
    runs: Path, answer: str, left: set[str], watched: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched()
    monkeypatch.setattr("builtins.input", lambda _: answer)

    assert main(["runs", "clean", str(runs)]) == 0
    assert there(runs) == left


def test_yes_removes_what_was_listed_and_nothing_more(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["runs", "clean", str(runs), "--unused", "--yes"]) == 0

    assert there(runs) == ALL - {"nobody", "p2"}  # the student is named; the teacher is its parent
    assert not list(runs.glob("shared/packs/q-p2.key"))
    assert "Removed" in capsys.readouterr().out

    assert main(["runs", "clean", str(runs), "--unused", "--yes"]) == 0
    assert "Nothing in" in capsys.readouterr().out


def test_what_was_taken_up_while_the_question_stood_there_stays(
    runs: Path, watched: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched()
    lock = FileLock(next(runs.glob("train/nobody-*")) / ".lock")

    def slow(_: str) -> str:
        lock.acquire()
        return "y"

    monkeypatch.setattr("builtins.input", slow)
    try:
        assert main(["runs", "clean", str(runs)]) == 0
    finally:
        lock.release()

    assert "nobody" in there(runs)


def test_looking_after_runs_needs_no_torch(runs: Path) -> None:
    code = (
        "import sys; from understudy.cli import main; main(sys.argv[1:]);"
        "sys.exit('torch' in sys.modules)"
    )
    for words in (["list", str(runs)], ["clean", str(runs)], ["show", "student", f"--runs={runs}"]):
        done = subprocess.run(
            [sys.executable, "-c", code, "runs", *words], capture_output=True, check=False
        )
        assert done.returncode == 0
