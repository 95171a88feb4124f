"""How much is told: the same choice for every command that works."""

import io
from pathlib import Path

import pytest
from PIL import Image

from understudy.cli import main
from understudy.cli.log_lines import LineProgress
from understudy.cli.loudness import Loudness
from understudy.cli.progress import progress_on
from understudy.cli.settings_help import reference

WORKING = ["run", "report", "init", "predict", "check-data", *reference()["stages"]]
FEW = ["plan.epochs=null", "plan.steps=2", "machine.precision=measure", "machine.compile=never"]


def told(loudness: Loudness) -> list[str]:
    stream = io.StringIO()
    with progress_on(stream, loudness) as progress:
        progress.begin("train", 2)
        progress.advance(2)
        progress.say("a word")
        progress.detail("a detail")
        progress.warn("a \x1b[31mwarning")
        progress.end()
    return stream.getvalue().splitlines()


def test_quiet_tells_warnings_alone_and_verbose_all() -> None:
    assert told(Loudness.QUIET) == ["a warning"]
    assert told(Loudness.NORMAL) == ["a word", "a warning", "train: done in 0 s"]
    assert told(Loudness.VERBOSE) == ["a word", "a detail", "a warning", "train: done in 0 s"]


@pytest.mark.parametrize("command", WORKING)
def test_every_command_that_works_takes_both_options_but_not_together(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([command, "--help"]) == 0
    shown = capsys.readouterr().out
    assert "--quiet" in shown
    assert "--verbose" in shown

    assert main([command, "x", "--quiet", "--verbose"]) == 2
    assert "give one of them" in capsys.readouterr().err


def test_a_training_tells_nothing_its_progress_or_everything(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = {}
    for seed, option in enumerate(("--quiet", "--verbose")):
        place = f"--runs={tmp_path / option}"
        assert main(["train", "digits", *FEW, f"seed={seed}", place, option]) == 0
        said[option] = capsys.readouterr()

    quiet, verbose = said["--quiet"], said["--verbose"]
    assert quiet.err == ""
    assert Path(quiet.out.strip()).is_dir()
    assert "batch_size: 50" in verbose.err  # a setting
    assert "ms a step" in verbose.err  # what was measured
    assert "step 2, epoch 2, phase train, loss " in verbose.err  # a logged line
    assert isinstance(progress_on(io.StringIO(), Loudness.VERBOSE), LineProgress)


@pytest.mark.parametrize("study", [["train"], ["run", "few-labels", "labels.per_class=500"]])
def test_quiet_tells_what_the_check_of_the_images_warns_of(
    study: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, shade in (("dark", 40), ("light", 210)):
        (tmp_path / "images" / name).mkdir(parents=True)
        for number in range(6):
            noise = Image.effect_noise((12, 12), 20 + number).convert("RGB")
            tint = Image.new("RGB", noise.size, (shade, shade, shade))
            Image.blend(noise, tint, 0.5).save(tmp_path / "images" / name / f"{number}.png")
    few = ["data.size=8", *(FEW if study == ["train"] else [])]

    main([*study, f"data={tmp_path / 'images'}", *few, f"--runs={tmp_path / 'runs'}", "--quiet"])

    first, *_ = capsys.readouterr().err.splitlines()
    assert first.startswith("images: ")
    assert "`understudy check-data` tells more" in first
