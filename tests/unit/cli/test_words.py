"""What each word of a stage's command line is."""

from pathlib import Path

import pytest

from understudy.cli import main
from understudy.cli.settings_help import own_runs
from understudy.cli.stage_command import _runs
from understudy.cli.words import told_apart
from understudy.core.errors import UsageError


def test_a_directory_is_a_run_and_the_first_other_word_a_recipe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("runs/train/a-1", "runs/train/b-2", "digits"):
        (tmp_path / name).mkdir(parents=True)

    told = told_apart(
        ["runs/train/a-1", "digits", "seed=3", "runs/train/b-2", "mean=logits"], recipes=["digits"]
    )

    assert told.runs == ("runs/train/a-1", "runs/train/b-2")
    assert told.recipe == "digits", "a shipped recipe, whatever folder lies here"
    assert told.settings == ("seed=3", "mean=logits")
    assert told_apart(["seed=3"], recipes=[]).recipe == ""
    assert told_apart(["digits", "digits"], recipes=["digits"]).settings == ("digits",), "not lost"
    assert told_apart(["seed=3", "digits"], recipes=["digits"]) == ("digits", (), ("seed=3",))


@pytest.mark.parametrize(
    ("stage", "key", "several"),
    [
        ("finetune", "start", False),
        ("distill", "teacher", False),
        ("export", "model", False),
        ("ensemble", "members", True),
        ("evaluate", "models", True),
    ],
)
def test_every_stage_that_works_on_runs_has_one_setting_for_them(
    stage: str, key: str, several: bool
) -> None:
    assert own_runs(stage) == (key, several)
    assert _runs(stage, ["a"], beside={}) == {key: ["a"] if several else "a"}


def test_runs_that_a_stage_does_not_take_are_refused() -> None:
    with pytest.raises(UsageError, match=r"starts from images .* `data=photos`"):
        _runs("train", ["photos"], beside={})
    with pytest.raises(UsageError, match=r"takes one run; found a, b"):
        _runs("distill", ["a", "b"], beside={})


@pytest.mark.parametrize("key", ["start", "start.0"])
def test_a_run_and_the_setting_that_it_stands_for_are_not_both_taken(key: str) -> None:
    with pytest.raises(UsageError, match="name the same setting"):
        _runs("finetune", ["a"], beside={key: "b"})


def test_a_mistyped_run_is_told_as_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)

    assert main(["finetune", "digits", "runs/nope"]) == 2
    assert "runs/nope: no such folder, and not `key=value`" in capsys.readouterr().err
