"""Python's verbs: the command line's names and settings, its errors, and nothing of its exits."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.unit.results.browser.rows_of_others import published

import understudy
from understudy import verbs
from understudy.api import _given, _ours
from understudy.cli import main
from understudy.cli.settings_help import reference
from understudy.core.errors import UsageError
from understudy.core.files import read_json
from understudy.core.interrupts import Interrupts
from understudy.core.progress import Progress, Silent

PLAIN = {"device": "cpu", "precision": "fp32", "memory_format": "contiguous", "compile": "never"}
SMALL: dict[str, Any] = {
    "backbone": {"depth": 8, "width": 0.5},
    "machine": PLAIN,
    "labels": {"per_class": 5, "validation_per_class": 5},
}


def test_importing_it_imports_nothing_that_takes_time() -> None:
    slow = ("torch", "numpy", "pydantic", "ruamel", "rich", "cyclopts", "plotly", "timm")
    code = f"import sys, understudy; sys.exit(str(set({slow}) & set(sys.modules) or ''))"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert done.stderr.strip() == ""


def test_every_stage_and_every_name_it_exports_is_there() -> None:
    assert set(reference()["stages"]) <= set(understudy.__all__)
    for name in understudy.__all__:
        assert getattr(understudy, name).__doc__, name
    assert understudy.train.__name__ == "train"


def test_a_run_of_python_is_a_run_of_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of one identity, so that each finds what the other did."""
    runs = tmp_path / "runs"
    made = understudy.train("digits", runs=runs, **{**SMALL, "plan.steps": 2, "plan.epochs": None})
    capsys.readouterr()

    words = ["train", "digits", "backbone.width=0.5", "plan.steps=2", "plan.epochs=null"]
    code = main([*words, f"--runs={runs}", *(f"machine.{k}={v}" for k, v in PLAIN.items())])

    assert code == 0
    shown = capsys.readouterr()
    assert "Nothing new to do" in shown.err
    assert Path(shown.out.strip()) == made.path
    assert made.summary == read_json(made.path / "summary.json")
    assert not made.was_skipped


def test_a_result_stands_where_a_run_is_wanted(tmp_path: Path) -> None:
    made = understudy.StageResult(tmp_path / "run", {}, was_skipped=True)

    given = _given(
        {
            "start": made,
            "data": Path("photos"),
            "models": (made, "other"),
            "labels": {"per_class": np.int64(3)},
            "terms[0].weight": 0.5,
            "seeds": range(1, 3),
        }
    )

    assert given == {
        "start": str(made.path),
        "data": "photos",
        "models": [str(made.path), "other"],
        "labels": {"per_class": 3},
        "terms.0.weight": 0.5,
        "seeds": [1, 2],
    }
    assert type(given["labels"]["per_class"]) is int


def test_nested_and_dotted_keywords_plan_the_same_study() -> None:
    nested = verbs.planned(
        "digits", _given({"labels": {"per_class": 3}, "seeds": [4]}), must_be_at_hand=False
    )
    dotted = verbs.planned(
        "digits", _given({"labels.per_class": 3, "seeds": "4"}), must_be_at_hand=False
    )

    assert [node.key for node in nested.nodes] == [node.key for node in dotted.nodes]


def test_all_mistakes_are_one_error_with_its_exit_code() -> None:
    with pytest.raises(understudy.UnderstudyError) as caught:
        understudy.run("few-labels", labels={"per_clas": 3}, seed=1, machine={"devize": "cpu"})

    told = str(caught.value)
    assert caught.value.exit_code == 2
    assert all(word in told for word in ("'per_class'", "'seeds'", "machine.devize"))


def test_a_mistake_in_a_stage_is_headed_by_its_function() -> None:
    with pytest.raises(understudy.UnderstudyError, match=r"^understudy\.train: 1 mistake\n  plan"):
        understudy.train(plan={"epoch": 3})


def test_what_failed_is_raised_with_what_did_not(tmp_path: Path) -> None:
    study = tmp_path / "wild.yaml"
    study.write_text(
        """
stages:
  tame:
    stage: train
    labels: {per_class: 5, validation_per_class: 5}
    backbone: {kind: cifar_resnet, depth: 8, width: 0.5}
    plan: {steps: 2}
  wild:
    stage: train
    labels: {per_class: 5, validation_per_class: 5}
    backbone: {kind: cifar_resnet, depth: 8, width: 0.5}
    plan: {steps: 60, optimizer: {kind: sgd, learning_rate: 1.0e+30}}
"""
    )

    with pytest.raises(understudy.FailedStudyError) as caught:
        understudy.run(study, runs=tmp_path / "runs", machine=PLAIN)

    assert caught.value.exit_code == 4
    rows = caught.value.result.rows
    assert {row["name"] for row in rows} == {"tame"}
    header = (caught.value.result.folder / "rows.csv").read_text().splitlines()[0].split(",")
    assert list(rows[0]) == header
    report = understudy.report(caught.value.result, csv=tmp_path / "rows.csv")
    assert report.rows == rows
    assert any("failed" in sentence for sentence in report.findings)
    assert (tmp_path / "rows.csv").exists()


class Stopping(Silent):
    """Sends this process Ctrl-C after some steps."""

    def __init__(self, after: int) -> None:
        self.left = after

    def begin(self, title: str, total: int) -> None:  # noqa: ARG002
        self.counts = title.startswith("train")

    def advance(self, count: int = 1, note: str = "") -> None:  # noqa: ARG002
        self.left -= self.counts and count == 1
        if self.left == 0:
            self.left = -1
            os.kill(os.getpid(), signal.SIGINT)


def test_ctrl_c_saves_and_is_a_keyboard_interrupt_and_the_same_call_continues(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = {**SMALL, "plan": {"steps": 6, "epochs": None}}
    with monkeypatch.context() as patched:
        patched.setattr("understudy.cli.log_lines.LineProgress", lambda _: Stopping(after=3))
        with pytest.raises(KeyboardInterrupt, match="the same command continues"):
            understudy.train("digits", runs=tmp_path, **settings)

    done = understudy.train("digits", runs=tmp_path, **settings)

    assert done.summary["steps"] == 6
    assert "going on from step 3" in capsys.readouterr().err


def test_a_second_ctrl_c_leaves_the_work_and_not_the_process() -> None:
    def insist(progress: Progress, interrupts: Interrupts) -> None:  # noqa: ARG001
        with interrupts.listening(), interrupts.deferred():
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)
            raise AssertionError("the second one was ignored")

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        insist(*_ours())

    assert signal.getsignal(signal.SIGINT) is before


def test_it_works_in_a_thread_that_is_not_the_main_one(tmp_path: Path) -> None:
    """Python lets the main thread alone set signal handlers."""
    results: list[Any] = []

    def work() -> None:
        try:
            results.append(
                understudy.train(
                    "digits", runs=tmp_path, plan={"steps": 1, "epochs": None}, **SMALL
                )
            )
        except BaseException as error:  # so that the test shows it
            results.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()

    (result,) = results
    assert isinstance(result, understudy.StageResult), result
    assert result.summary["steps"] == 1


def test_images_are_checked_with_the_words_of_the_command_line(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / "images" / name).mkdir(parents=True)
        for number in range(4):
            noise = np.random.default_rng(number + 9 * len(name)).integers(0, 255, (20, 20, 3))
            Image.fromarray(noise.astype(np.uint8)).save(tmp_path / f"images/{name}/{number}.png")
    (tmp_path / "images" / "two" / "bad.jpg").write_bytes(b"<html>")

    found = understudy.check_data(tmp_path / "images", runs=tmp_path / "runs", size=16)

    assert not found.usable
    assert any("bad.jpg" in str(finding) for finding in found.content["findings"])
    assert found.content["images"] == 9
    with pytest.raises(understudy.UnderstudyError, match="which images"):
        understudy.check_data(runs=tmp_path / "runs")


def test_predictions_are_those_of_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = understudy.train(
        "digits", runs=tmp_path / "runs", **{**SMALL, "plan.steps": 2, "plan.epochs": None}
    )
    picture = tmp_path / "picture.png"
    Image.effect_noise((20, 20), 60).save(picture)
    (tmp_path / "bad.png").write_bytes(b"")

    good, bad = understudy.predict(made, picture, tmp_path / "bad.png", top=2)

    (shares,) = good.answers.values()
    capsys.readouterr()
    assert main(["predict", str(made.path), str(picture), "--top=2"]) == 0
    shown = capsys.readouterr().out
    assert all(f"{name} {100 * share:.1f} %" in shown for name, share in shares)
    assert (good.problem, bad.answers) == ("", {})
    assert bad.problem


def test_an_empty_place_is_not_taken_for_the_current_folder() -> None:
    for asked in (
        lambda: understudy.init(""),
        lambda: understudy.predict(""),
        lambda: understudy.report(""),
        lambda: understudy.check_data("x", runs=""),
    ):
        with pytest.raises(UsageError, match="a path is empty"):
            asked()


def test_rows_of_others_say_what_the_command_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    students, teachers = published(tmp_path)

    told = understudy.report_rows(students, f"teacher={teachers}", html=tmp_path / "rows.html")

    assert main(["report", "--rows", str(students), "--rows", f"teacher={teachers}"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert told.title == "72 students · 24 teachers"
    assert len(told.rows) == 96
    assert all(" ".join(one.split()) in shown for one in told.findings)
    assert "<h1>students</h1>" in (tmp_path / "rows.html").read_text()
    with pytest.raises(UsageError, match="no file of rows"):
        understudy.report_rows()
