"""What each word of a stage's command line is."""

from pathlib import Path

import pytest

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
    assert _runs(stage, ["a"]) == {key: ["a"] if several else "a"}


def test_runs_that_a_stage_does_not_take_are_refused() -> None:
    with pytest.raises(UsageError, match=r"starts from images .* `data=photos`"):
        _runs("train", ["photos"])
    with pytest.raises(UsageError, match=r"takes one run; found a, b"):
        _runs("distill", ["a", "b"])
