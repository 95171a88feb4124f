import json
from pathlib import Path

import pytest
from filelock import FileLock

from understudy.core.errors import UsageError
from understudy.core.interrupts import Interrupts
from understudy.core.progress import Silent
from understudy.core.run import Run, find_run, finished_summary


def run_at(path: Path, identity: str = "abc") -> Run:
    return Run(
        path,
        stage="train",
        name="baseline",
        shared=path.parent,
        identity=identity,
        progress=Silent(),
        interrupts=Interrupts(),
    )


def test_a_run_is_finished_when_its_summary_is_there(tmp_path: Path) -> None:
    run = run_at(tmp_path / "train" / "baseline-abc")

    run.start({"identity": "abc", "settings": {"seed": 1}})
    before = run.is_finished
    run.finish({"steps": 3})

    assert (before, run.is_finished) == (False, True)
    assert run.summary()["steps"] == 3


def test_a_run_is_found_by_its_identity_whatever_its_name(tmp_path: Path) -> None:
    run = run_at(tmp_path / "train" / "some-name-abc")
    run.start({"identity": "abc"})

    assert find_run(tmp_path, stage="train", identity="abc") == run.path
    assert find_run(tmp_path, stage="train", identity="abd") is None


def test_a_folder_of_another_configuration_is_refused_with_the_difference(tmp_path: Path) -> None:
    first = run_at(tmp_path / "mine", "abc")
    first.start({"identity": "abc", "settings": {"seed": 1, "plan": {"epochs": 5}}})
    first.release()

    with pytest.raises(UsageError, match=r"settings\.plan\.epochs: there 5, asked for 9"):
        run_at(tmp_path / "mine", "xyz").start(
            {"identity": "xyz", "settings": {"seed": 1, "plan": {"epochs": 9}}}
        )


def test_a_folder_that_holds_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("precious")

    with pytest.raises(UsageError, match="not empty, and not a run"):
        run_at(tmp_path).start({"identity": "abc"})

    assert (tmp_path / "thesis.tex").read_text() == "precious"


def test_a_run_whose_first_file_was_torn_by_a_kill_can_start_again(tmp_path: Path) -> None:
    run = run_at(tmp_path / "train" / "baseline-abc")
    run.path.mkdir(parents=True)
    (run.path / ".config.yaml.4711.partial").write_text("ident")

    run.start({"identity": "abc"})

    left = {path.name for path in run.path.iterdir()} - {".lock", ".owner"}
    assert left == {"config.yaml"}


def test_starting_again_leaves_the_record_of_the_first_start(tmp_path: Path) -> None:
    first = run_at(tmp_path / "train" / "baseline-abc")
    first.start({"identity": "abc", "settings": {"machine": "one"}})
    first.release()

    run_at(first.path).start({"identity": "abc", "settings": {"machine": "other"}})

    assert "machine: one" in (first.path / "config.yaml").read_text()


def test_a_second_process_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "train" / "baseline-abc"
    path.mkdir(parents=True)

    with FileLock(path / ".lock"), pytest.raises(UsageError, match="another process"):
        run_at(path).start({"identity": "abc"})


def test_a_resumed_log_has_each_line_once_and_no_torn_one(tmp_path: Path) -> None:
    run = run_at(tmp_path / "train" / "baseline-abc")
    run.start({"identity": "abc"})
    for step in (10, 20, 30):
        run.log({"step": step, "phase": "train"})
    with (run.path / "metrics.jsonl").open("a") as stream:
        stream.write('{"step": 40, "pha')

    run.rewind_log(20)

    lines = (run.path / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in lines] == [10, 20]


def test_only_a_finished_run_has_a_summary(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not a run"):
        finished_summary(tmp_path)
    run = run_at(tmp_path / "train" / "baseline-abc")
    run.start({"identity": "abc"})

    with pytest.raises(UsageError, match="not finished"):
        finished_summary(run.path)
